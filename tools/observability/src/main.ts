import { writeFileSync } from 'node:fs';
import { dashboardFile, dashboards, dashboardText } from './index.js';

// `npm run dashboards`: writes what Grafana imports.
for (const dashboard of dashboards) writeFileSync(dashboardFile(dashboard.uid), dashboardText(dashboard));
