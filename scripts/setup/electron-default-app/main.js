// What Electron runs when it is given an app's folder: `electron [switches] <app> [arguments]`. Official builds of Electron bring such a
// program of their own; this one stands in for it in the build that is assembled from the npm registry.
import fs from 'node:fs'
import Module from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { app } from 'electron/main'

/** @param {string} message */
function fail(message) {
  console.error(message)
  process.exit(1)
}

const preload = []
let file
const argv = process.argv.slice(1)
for (let index = 0; index < argv.length; index++) {
  const argument = argv[index]
  if (argument === '-v' || argument === '--version') {
    console.log(`v${process.versions.electron}`)
    process.exit(0)
  }
  if (argument === '-a' || argument === '--abi') {
    console.log(process.versions.modules)
    process.exit(0)
  }
  if (argument === '-r' || argument === '--require') {
    preload.push(argv[++index] ?? fail('--require needs a file'))
    continue
  }
  if (argument.startsWith('--app=')) {
    file = argument.slice('--app='.length)
    break
  }
  if (argument.startsWith('-')) continue
  file = argument
  break
}
if (!file) fail('usage: electron [switches] <app> [arguments]')
// Playwright attaches itself through -r.
if (preload.length > 0) Module._preloadModules(preload)

Object.defineProperty(process, 'defaultApp', { value: true, enumerable: true })
const target = path.resolve(file)
const manifestFile = path.join(target, 'package.json')
let appPath
if (fs.existsSync(manifestFile)) {
  const manifest = JSON.parse(fs.readFileSync(manifestFile, 'utf8'))
  if (manifest.version) app.setVersion(manifest.version)
  app.name = manifest.productName ?? manifest.name ?? app.name
  app.setDesktopName(manifest.desktopName ?? `${app.name}.desktop`)
  appPath = target
}
let entry
try {
  entry = Module._resolveFilename(target, null, true)
} catch (error) {
  fail(`There is no Electron app at ${target}\n\n${error.message}`)
}
app.setAppPath(appPath ?? path.dirname(entry))
await import(pathToFileURL(entry).href)
