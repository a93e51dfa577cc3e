#!/usr/bin/env node
/**
 * The `weir` command in a clone. `weir start` first builds what is stale; the others only build where there is no build
 * at all, so that a client never changes files under a server that runs.
 */
import { existsSync } from 'node:fs';
import { build } from './build.mjs';

const main = new URL('../dist/src/boot/main.js', import.meta.url);

if (process.argv[2] === 'start' || !existsSync(main)) build();
await import(main.href);
