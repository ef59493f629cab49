#!/usr/bin/env node
/**
 * `npm run test:containers`: builds and runs exported images, the composition and the manifests with Podman (tests/containers).
 *
 * As root on Debian it installs what is missing. Base images are made of Debian's packages, once (some minutes, 0.7 GB in the cache). Where
 * containers cannot be run the last line is `skipped: why`, and the exit code 0. Otherwise it is vitest's.
 */
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { projectRoot } from './setup/project-paths.mjs'
import { runOptionalTests } from './setup/run-optional-tests.mjs'
import { printSetupError } from './setup/setup-error.mjs'
import { missingContainerParts } from './setup/system-parts.mjs'

/** @returns {Promise<string | null>} why containers cannot be run here */
async function prepare() {
  const engine = await import(pathToFileURL(join(projectRoot, 'tests', 'containers', 'container-engine.ts')).href)
  return engine.containerProblem()
}

try {
  process.exitCode = await runOptionalTests({
    script: fileURLToPath(import.meta.url),
    config: 'vitest.containers.config.ts',
    missingParts: missingContainerParts,
    prepare,
  })
} catch (error) {
  process.exitCode = printSetupError(error)
}
