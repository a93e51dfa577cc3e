import type { Reporter, TestModule } from 'vitest/node';

/** At the end of a run, names what was skipped. What is missing stands in each name: see `requires`. */
export default class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const names = new Set<string>();
    for (const module of modules)
      for (const test of module.children.allTests('skipped'))
        names.add(`${module.relativeModuleId} > ${test.fullName}`);
    if (names.size === 0) return;
    console.log(`\n ${names.size} skipped:\n${[...names].map(name => `   ${name}`).join('\n')}`);
    if (process.env.WEIR_REQUIRE_ALL !== '1') console.log(' WEIR_REQUIRE_ALL=1 makes them fail instead.\n');
  }
}
