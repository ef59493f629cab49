import type { Benchmark } from '../../../contract/measurement.ts'
import { CodeBlock } from '../../components/code-block.tsx'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { compactJson } from '../../format/compact-json.ts'
import { plainText } from '../../format/plain-text.ts'
import { environmentFacts } from '../../text/environment-facts.ts'
import { benchCommand } from './bench-command.ts'
import classes from './runs.module.css'

interface RunMethodProps {
  readonly run: Benchmark
  readonly model: string
  readonly device: string
}

/** The machine, all settings, and the command that does the same. */
export function RunMethod({ run, model, device }: RunMethodProps) {
  return (
    <>
      <Section title="Environment" aside={`Edgesmith ${plainText(run.environment.edgesmithVersion, 30)}`}>
        <Facts facts={environmentFacts(run.environment)} />
      </Section>
      <Section title="The same on the command line">
        <div className={classes.command}>
          <CodeBlock text={benchCommand(model, { id: run.deviceId, name: device }, run.settings)} what="the command" testId="run-command" />
          <details className={classes.raw}>
            <summary>All settings</summary>
            <CodeBlock text={compactJson(run.settings)} what="the settings" />
          </details>
        </div>
      </Section>
    </>
  )
}
