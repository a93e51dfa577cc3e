/** The real `Log`: one JSON line an event, through pino. */
import { pino } from 'pino';
import type { Log } from './seams.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogDestination {
  write(line: string): void;
}

/**
 * Lines go to standard error by default, so that standard output stays the caller's. An `error` field that holds an
 * Error is written with its stack and causes.
 * @param level Lines below it are dropped before they are built.
 */
export function createPinoLog(level: LogLevel = 'info', destination?: LogDestination): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.errWithCause },
  };
  const logger = pino(options, destination ?? pino.destination({ dest: 2, sync: true }));
  const write =
    (name: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void => {
      if (fields) logger[name](fields, message);
      else logger[name](message);
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
