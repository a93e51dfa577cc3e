import { expect, test } from 'vitest';
import { createPinoLog } from '../../../src/base/pino-log.ts';

test('one JSON line an event, with level, time, message and fields; errors with their causes', () => {
  const lines: Record<string, unknown>[] = [];
  const log = createPinoLog('info', { write: line => lines.push(JSON.parse(line)) });
  log.debug('not written');
  log.info('started', { port: 8090 });
  log.error('failed', { error: new Error('outer', { cause: new Error('inner') }) });
  expect(lines).toHaveLength(2);
  expect(lines[0]).toEqual({ level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), msg: 'started', port: 8090 });
  expect(lines[1]).toMatchObject({
    level: 'error',
    msg: 'failed',
    error: { message: 'outer', cause: { message: 'inner' } },
  });
  expect(lines[1]).toHaveProperty('error.stack');
});
