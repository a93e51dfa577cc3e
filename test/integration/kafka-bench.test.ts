/** The benchmark of Kafka's suite, small. */
import { expect, test } from 'vitest';
import { smoke } from '../support/bench.ts';
import { requires } from '../support/requires.ts';

requires('kafka')('the benchmark of Kafka', () => {
  test('counts what was produced, and sees every marked message', async () => {
    const rows = await smoke('kafka', '--partitions', '3');
    expect(rows.map(({ query, engine, answersEqual }) => [query, engine, answersEqual])).toEqual([
      ['consumed, 3 partitions', 'weir', true],
      ['consumed, 3 partitions', 'kafkajs', true],
      ['consumed and sealed, 3 partitions', 'weir', true],
      ['visible, at 2,000 messages/s', 'weir', true],
    ]);
  });
});
