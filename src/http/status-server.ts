/** The door of a process that answers no statements: whether it is well, what it uses, and who else is in its cluster. */

import { addClusterRoutes } from './cluster-routes.ts';
import type { HttpSettings, StatusComponents } from './door.ts';
import { createStatusHealth } from './health.ts';
import { createStatusMetrics } from './metrics.ts';
import { addOperateRoutes } from './operate-routes.ts';
import { type HttpServer, openDoor } from './server.ts';

export function createStatusServer(settings: HttpSettings, components: StatusComponents): Promise<HttpServer> {
  const metrics = createStatusMetrics(components);
  return openDoor(settings, components, metrics, async app => {
    addClusterRoutes(app, components);
    addOperateRoutes(app, createStatusHealth(components), metrics);
  });
}
