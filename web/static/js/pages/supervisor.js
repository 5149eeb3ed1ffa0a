/** The supervisor's board and a session's timeline stay fresh by themselves. */

import { follow } from "./page.js";

follow();
