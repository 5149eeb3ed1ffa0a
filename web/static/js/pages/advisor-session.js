/** One session on the advisor's page. All deeds are plain forms. */

import { follow } from "./page.js";

follow();
