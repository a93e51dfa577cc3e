/**
 * Property tests draw the same cases in every run, so that a run says something of the change and not of the day.
 * WEIR_SEED=n draws others; WEIR_SEED=random new ones each time, for looking for trouble.
 */
import fc from 'fast-check';

const given = process.env.WEIR_SEED;

if (given !== 'random') fc.configureGlobal({ seed: Number(given?.split(',')[0] ?? 20_240_601) });
