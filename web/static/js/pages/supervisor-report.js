/** The report goes to the printer by a button; the browser's own command does the same. */

import { element } from "./page.js";

const button = element("print", HTMLButtonElement);
button.hidden = false;
button.addEventListener("click", () => window.print());
