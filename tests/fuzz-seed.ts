import { configureGlobal } from 'fast-check'

// The same inputs on every run and every machine, so that a change lands or fails by what it does. To look for new ones:
// EDGESMITH_FUZZ_SEED=$RANDOM npm test -- --only=unit
configureGlobal({ seed: Number(process.env.EDGESMITH_FUZZ_SEED ?? 2026) })
