import loggers from 'kafkajs/src/loggers/index.js';
import type { Log } from '../../base/seams.ts';

/**
 * kafkajs' lines go to our log: messages only, as their fields may hold what was sent. Its errors are `debug`: each comes to
 * us as a fault as well, and is told where it matters.
 */
export const makeLogger = (log: Log): unknown =>
  loggers.createLogger({
    level: loggers.LEVELS.INFO,
    logCreator:
      () =>
      ({ label, log: { message } }) =>
        label === 'WARN' ? log.warn(`kafkajs: ${message}`) : log.debug(`kafkajs: ${message}`),
  });
