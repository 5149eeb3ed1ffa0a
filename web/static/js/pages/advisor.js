/** The advisor's point: rooms and open sessions stay fresh; the open form is a plain form and is left alone. */

import { follow } from "./page.js";
import { checkRooms } from "./room-checks.js";

follow();
checkRooms();
