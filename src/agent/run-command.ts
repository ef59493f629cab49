import { dirname } from 'node:path'
import { z } from 'zod'
import { AGENT_PROTOCOL_VERSION, agentRequestSchema, agentResultSchemas } from '../contract/agent-protocol.ts'
import { decodeWire } from '../contract/agent-wire.ts'
import { EdgesmithError, toErrorReport } from '../contract/errors.ts'
import { agentVersion } from './agent-version.ts'
import { receiveRequest } from './host-connection.ts'
import { hostReporter, writeMessage } from './message-writer.ts'

/** A request with all defaults filled in. */
type Request = z.output<typeof agentRequestSchema>

/**
 * `agent run`: greets, takes one request from standard input, answers with progress, log lines and one result or error.
 *
 * @returns the exit code: 0 after a result, 1 after an error
 */
export async function runCommand(): Promise<number> {
  // The host is gone when nobody reads any more: nobody wants the answer.
  process.stdout.on('error', () => process.exit(1))
  return carryOut(receiveRequest())
}

/**
 * Greets, and answers a request on standard output.
 *
 * @param request a line of the protocol
 * @returns the exit code: 0 after a result, 1 after an error
 */
export async function carryOut(request: Promise<string>): Promise<number> {
  await writeMessage({ type: 'hello', protocol: AGENT_PROTOCOL_VERSION, pid: process.pid, version: agentVersion })
  try {
    await writeMessage({ type: 'result', value: await answer(parseRequest(await request)) })
    return 0
  } catch (error) {
    const report = toErrorReport(coded(error))
    if (report.code === 'INTERNAL' && error instanceof Error) console.error(error.stack)
    await writeMessage({ type: 'error', error: { ...report, details: report.details && { ...report.details } } })
    return 1
  }
}

/** @throws EdgesmithError `USAGE` for a line that is no request of this protocol */
export function parseRequest(line: string): Request {
  let raw: unknown
  try {
    raw = decodeWire(line)
  } catch (error) {
    throw new EdgesmithError('USAGE', `The request cannot be read. ${error instanceof Error ? error.message : ''}`)
  }
  const parsed = agentRequestSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  const known = Object.keys(agentResultSchemas).join(', ')
  throw new EdgesmithError('USAGE', `The request is not one of ${known}: ${z.prettifyError(parsed.error)}`, {
    hint: 'The agent may be of another version than the program that asked. Push the agent again.',
    details: { version: agentVersion, protocol: AGENT_PROTOCOL_VERSION },
  })
}

// Modules with native code are loaded only here, after the greeting: a library the device lacks then becomes an error with a code.
async function answer(request: Request): Promise<unknown> {
  switch (request.command) {
    case 'self-test':
      // Before anything native is loaded: nothing of what it would find may run.
      if (request.publicKey !== undefined) {
        const { checkOwnFiles } = await import('./own-files.ts')
        await checkOwnFiles(dirname(process.argv[1] ?? ''), request.publicKey)
      }
      return (await import('./self-test.ts')).selfTest(request.images)
    case 'bench': {
      const { benchmark } = await import('../engine/measure/benchmark.ts')
      const { benchPrograms } = await import('./bench-programs.ts')
      const { model, settings, enginesFolder } = request
      return benchmark(model, settings, {
        ...measureContext(),
        programs: benchPrograms,
        ...(enginesFolder !== undefined && { enginesFolder }),
      })
    }
    case 'outputs': {
      const { outputs } = await import('../engine/measure/outputs.ts')
      return outputs(request, measureContext())
    }
    case 'evaluate': {
      const { evaluate } = await import('../engine/measure/evaluate.ts')
      const { onnxRuntime } = await import('../engine/runtimes/onnx-runtime.ts')
      return evaluate(request, onnxRuntime, measureContext())
    }
    case 'explain': {
      const { explain } = await import('../engine/measure/explain.ts')
      return explain(request, measureContext())
    }
    case 'profile': {
      const { profile } = await import('../engine/measure/profile.ts')
      return profile(request, measureContext())
    }
    case 'layers': {
      const { layers } = await import('../engine/measure/layers.ts')
      return layers(request, measureContext())
    }
    case 'explain-accuracy': {
      const { explainAccuracyOf } = await import('../engine/measure/explain-accuracy.ts')
      return explainAccuracyOf(request, measureContext())
    }
    case 'service': {
      const { serviceCommand } = await import('./services/service-command.ts')
      return serviceCommand(request, hostReporter())
    }
    case 'load': {
      const { measureLoad } = await import('../engine/measure/load.ts')
      return measureLoad(request, measureContext())
    }
  }
}

/** Cancelling ends the process (`host-connection.ts`), so the signal is never used. */
function measureContext() {
  return { reporter: hostReporter(), signal: new AbortController().signal, edgesmithVersion: agentVersion }
}

/** Failures of the dynamic loader get their code; everything else stays as it is. */
function coded(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_DLOPEN_FAILED') return error
  if (/GLIBC_/.test(error.message)) {
    return new EdgesmithError('DEVICE_GLIBC_TOO_OLD', `The C library of the device is too old for ONNX Runtime: ${error.message}`, {
      hint: 'Use a system with glibc 2.28 or later (Debian 10, Raspberry Pi OS bullseye, JetPack 5).',
    })
  }
  return new EdgesmithError('DEVICE_LIBRARY_MISSING', `ONNX Runtime cannot be loaded: ${error.message}`, {
    hint: 'Install the library that is named (on Debian: libstdc++6, libgcc-s1).',
  })
}
