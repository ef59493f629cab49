import { Loader, SegmentedControl } from '@mantine/core'
import { useEffect, useState } from 'react'
import type { Deployment } from '../../../../contract/deployment.ts'
import { useCall } from '../../../backend/use-call.ts'
import detailClasses from '../../../components/detail.module.css'
import { ErrorNotice } from '../../../components/error-notice.tsx'
import { Section } from '../../../components/section.tsx'
import { type ServedForm, servedForm } from './served-form.ts'
import { TryForm } from './try-form.tsx'
import classes from './try-it.module.css'
import { TrySample } from './try-sample.tsx'

type Mode = 'fields' | 'inputs' | 'image' | 'sample'

const labels: Readonly<Record<Mode, string>> = { fields: 'Named values', inputs: 'Lists', image: 'Image file', sample: 'Dataset sample' }

interface TryTabProps {
  readonly deployment: Deployment
  readonly running: boolean
  /** The form is read again when another version serves. */
  readonly release: string | null
}

/** Asks the service something: by a form made from what it says of itself, or with a sample of a dataset. */
export function TryTab({ deployment, running, release }: TryTabProps) {
  const described = useCall('deployments.describe', { id: deployment.id }, { enabled: running })
  const [chosen, setChosen] = useState<Mode | null>(null)
  useEffect(() => {
    if (described.data && running) void described.refetch()
  }, [release])
  const form = described.data ? servedForm(described.data) : null
  const modes = modesOf(form)
  const mode = chosen !== null && modes.includes(chosen) ? chosen : modes[0]
  return (
    <div className={detailClasses.sections}>
      <Section title="Try it" aside="POST /predict">
        <div className={classes.form}>
          {running ? null : <span className="es-dim">Start the service to ask it.</span>}
          {described.error && running ? <ErrorNotice error={described.error} /> : null}
          {described.data && !form ? <span className="es-dim">What the service says of its inputs cannot be read.</span> : null}
          {described.isLoading ? <Loader size="sm" aria-label="Reading what the service takes" /> : null}
          {modes.length > 1 ? (
            <SegmentedControl
              data={modes.map((value) => ({ value, label: labels[value] }))}
              value={mode ?? 'sample'}
              onChange={(value) => setChosen(value as Mode)}
              aria-label="What is sent"
              className={classes.modes}
              data-testid="try-mode"
            />
          ) : null}
          {mode === 'sample' ? <TrySample deployment={deployment} running={running} /> : null}
          {form && mode !== undefined && mode !== 'sample' ? (
            <TryForm key={`${mode} ${release}`} deployment={deployment} form={form} mode={mode} />
          ) : null}
        </div>
      </Section>
    </div>
  )
}

/** Ways to ask, the most comfortable first. */
function modesOf(form: ServedForm | null): Mode[] {
  if (!form) return ['sample']
  const named: Mode[] = form.fields.length > 0 ? ['fields'] : []
  const image: Mode[] = form.imageTypes.length > 0 ? ['image'] : []
  return [...named, 'sample', ...image, 'inputs']
}
