/** For controllers of tests in which nothing runs in the background. */
import { fault } from '../../src/base/fault.ts';
import { local } from '../../src/wire/local.ts';
import type { TaskCalls } from '../../src/wire/task-calls.ts';

const refuse = () => {
  throw fault('UNSUPPORTED', 'this test runs no background tasks');
};

export const noTasks = local<TaskCalls>({
  ...{ merge: refuse, index: refuse, verify: refuse, load: refuse, inferFiles: refuse },
});
