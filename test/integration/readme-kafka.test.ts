/** README's section about Kafka, as pasted: every `sh` block runs, in order, against a real broker and a real process. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Kafka, startKafka } from '../support/kafka.ts';
import { named, paste, readmeBlocks } from '../support/readme.ts';
import { kafkaJars, kafkaVersions, requires } from '../support/requires.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';

const version = kafkaVersions[1];
const blocks = await readmeBlocks('Your Kafka topic in five minutes');

requires('kafka')('the tour of a topic', () => {
  let folder: string;
  let kafka: Kafka;
  let weir: WeirProcess;
  const outputs: string[] = [];
  const stage = () => ({ url: weir.url, broker: kafka.brokers[0]!, programs: join(folder, 'programs') });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-readme-'));
    kafka = await startKafka({ version, properties: { 'auto.create.topics.enable': 'true' } });
    weir = await startWeir({ args: ['--data', join(folder, 'data')] });
    await addProducer(join(folder, 'programs'));
  });
  afterAll(async () => {
    await weir?.stop();
    await kafka?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(named(blocks))('%s', async (_, index) => {
    // What was created a moment ago has read the topic by now.
    if (index === blocks.length - 1)
      await eventually(async () => {
        expect(await ask(weir.url, 'SELECT COUNT(*), (SELECT SUM(payments) FROM sales_by_minute) FROM sold')).toEqual([
          [400, 300],
        ]);
        expect(await ask(weir.url, 'SELECT COUNT(*) FROM card_payments')).toEqual([[300]]);
      });
    outputs[index] = await paste(blocks[index]!, stage());
  });

  test('shows what it promises', () => {
    const all = outputs.join('\n');
    for (const part of [
      '"ts"      TIMESTAMP NOT NULL, -- the time of the event\n',
      '"country" STRING,             -- 3 different values in 300\n',
      "index = 'country: inverted'",
      '1 message would be rejected',
      'created card_payments: 300 rows so far',
    ])
      expect(all).toContain(part);
    expect(all).toMatch(/ DE +\| +100 \| +14900\b/);
    expect(all).toMatch(/ card_payments +\| +0 \| (consuming|idle) +\| +0 \| +0 /);
    expect(all).toMatch(/ 0 \| +299 \| 2024-05-01T10:04:59/);
    expect(all).toMatch(/ 0 \| +300 \| .*\| not a payment/);
    expect(all).toMatch(/ a +\| +200 \| +4000000\b/);
    expect(all).toMatch(/ 15 \| +300\b/);
    expect(all).toMatch(/ card_payments +\| +segment +\| +0 \| +301 \| +300 \| +1 \| true/);
  });
});

/** Kafka's own console producer under the name that its distributions give it. */
async function addProducer(programs: string): Promise<void> {
  await mkdir(programs, { recursive: true });
  const path = join(programs, 'kafka-console-producer.sh');
  const logFlag = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error';
  const main = version.startsWith('3.') ? 'kafka.tools.ConsoleProducer' : 'org.apache.kafka.tools.ConsoleProducer';
  await writeFile(path, `#!/bin/sh\nexec java ${logFlag} -cp '${join(kafkaJars(version), '*')}' ${main} "$@"\n`);
  await chmod(path, 0o755);
}
