import type { Exporter } from '../exporter.ts'
import { type ClientDescription, commentText, describeClient } from './client-description.ts'
import { tsPackageName, tsSample, tsSource } from './ts-source.ts'
import { tsTests } from './ts-tests.ts'

/** A TypeScript package that asks the service: `fetch` and nothing else, with an example and tests of its own. */
export const tsClient: Exporter = {
  async write(context, folder) {
    const description = describeClient(context)
    const name = tsPackageName(context.service)
    await folder.text('src/client.ts', tsSource(description, context.edgesmithVersion))
    await folder.text('src/example.ts', exampleProgram(description))
    await folder.text('test/client.test.ts', tsTests(description))
    if (description.example) await folder.text('test/example.json', `${JSON.stringify(description.example, null, 1)}\n`)
    await folder.text('package.json', packageFile(description, name))
    await folder.text('tsconfig.json', compilerFile())
    await folder.text('openapi.json', `${JSON.stringify(context.served.openApi, null, 2)}\n`)
    await folder.text('README.md', readme(description, name))
    return [
      'npm install brings the compiler; npm run build makes dist/; npm test needs Node.js 22.18 or later.',
      ...(description.example ? [] : ['The model takes no made-up sample: the tests have no recorded answer to compare with.']),
    ]
  },
}

function packageFile({ service, modelName }: ClientDescription, name: string): string {
  const content = {
    name,
    version: '1.0.0',
    description: `Client of the service ${commentText(service)} (${commentText(modelName)})`,
    type: 'module',
    main: './dist/client.js',
    types: './dist/client.d.ts',
    exports: { '.': { types: './dist/client.d.ts', default: './dist/client.js' } },
    files: ['dist', 'openapi.json'],
    scripts: { build: 'tsc', test: 'node --test "test/**/*.test.ts"', example: 'node src/example.ts' },
    devDependencies: { '@types/node': '>=22', typescript: '>=5.8' },
  }
  return `${JSON.stringify(content, null, 2)}\n`
}

function compilerFile(): string {
  const content = {
    compilerOptions: {
      target: 'es2022',
      module: 'nodenext',
      lib: ['es2023', 'dom'],
      types: ['node'],
      strict: true,
      declaration: true,
      // Sources name each other by their own ending, so that Node.js runs them without a build.
      rewriteRelativeImportExtensions: true,
      erasableSyntaxOnly: true,
      rootDir: 'src',
      outDir: 'dist',
    },
    include: ['src'],
  }
  return `${JSON.stringify(content, null, 2)}\n`
}

function exampleProgram(description: ClientDescription): string {
  return `// Asks the service for one prediction: EDGESMITH_URL=http://... EDGESMITH_TOKEN=... node src/example.ts
import { Client, ServiceError } from './client.ts'

${tsSample(description)}

const client = new Client({ url: process.env.EDGESMITH_URL ?? 'http://127.0.0.1:8080', token: process.env.EDGESMITH_TOKEN ?? '' })
try {
  const { prediction, outputs, version, latencyMs } = await client.predict(sample)
  if (prediction) console.log(\`class \${prediction.class} \${prediction.label ?? ''} with probability \${prediction.confidence}\`)
  console.log('outputs', JSON.stringify(outputs))
  console.log(\`release \${version} in \${latencyMs} ms\`)
} catch (error) {
  if (!(error instanceof ServiceError)) throw error
  console.error(\`\${error.code}: \${error.message} \${error.hint ?? ''}\`)
  process.exitCode = 1
}
`
}

function readme({ service, modelName, takesImages }: ClientDescription, name: string): string {
  return `# ${name}

Client of the service ${commentText(service)}; model: ${commentText(modelName)}. \`fetch\` and nothing else: browsers, Deno, Bun, Node.js from 20 on.

\`\`\`ts
import { Client, ServiceError } from '${name}'

const client = new Client({ url: 'http://127.0.0.1:8080', token: '...' })
const answer = await client.predict(sample) // see src/example.ts for a sample
const many = await client.predictBatch(samples)
${takesImages ? 'const seen = await client.predictImage(file) // a Blob or File\n' : ''}\`\`\`

A service on a board listens on its own loopback: reach it through an SSH tunnel (\`ssh -L 8080:127.0.0.1:PORT user@board\`). It sends no CORS headers: pages in a browser ask it
through a server of yours, which also keeps the token.

Errors are \`ServiceError\` with \`kind\` (\`input\`, \`token\`, \`unavailable\`), \`code\`, \`hint\`. Requests that are not answered, and answers 429 and 503, are repeated up to \`retries\` times.

\`npm install && npm run build\` makes \`dist\`; \`npm test\` runs the tests, against the service itself too where EDGESMITH_URL and EDGESMITH_TOKEN are set. The API is described in \`openapi.json\`.
`
}
