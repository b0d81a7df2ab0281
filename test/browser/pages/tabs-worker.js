// Has the connection of all tabs of one user.
import { serveTabs } from '/evenkeel.full.js';

serveTabs();
