import { ActionIcon, Button, Checkbox, Group, Modal, NumberInput, Stack, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useLocation } from 'wouter'
import type { Dataset } from '../../../contract/dataset.ts'
import { procedures } from '../../../contract/procedures.ts'
import { storedError } from '../../backend/backend-error.ts'
import { jobResult } from '../../backend/job-result.ts'
import { useAction } from '../../backend/use-action.ts'
import { isActive, useJob } from '../../backend/use-jobs.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { JobProgress } from '../../components/job-progress.tsx'
import { formatCount } from '../../format/numbers.ts'
import classes from './split-dialog.module.css'
import { type PartDraft, partsProblem, sharesOf, splitPresets, totalPercent } from './split-parts.ts'

const MAX_PARTS = 10

/** Divides a dataset into parts that share its files. */
export function SplitDialog({ dataset, onClose }: { dataset: Dataset; onClose: () => void }) {
  const [, navigate] = useLocation()
  const [parts, setParts] = useState<readonly PartDraft[]>(splitPresets[0]?.parts ?? [])
  const [seed, setSeed] = useState<number | string>(1)
  const [stratify, setStratify] = useState(dataset.report.labelled)
  const [jobId, setJobId] = useState<string | null>(null)
  const split = useAction('datasets.split', { showsError: true })
  const job = useJob(jobId)
  const busy = split.isPending || (jobId !== null && (job === undefined || isActive(job)))
  const input = {
    id: dataset.id,
    parts: sharesOf(parts),
    seed: seed === '' ? Number.NaN : Number(seed),
    stratify: stratify && dataset.report.labelled,
  }
  const parsed = procedures['datasets.split'].input.safeParse(input)
  const problem = partsProblem(parts)

  const firstId = jobResult(job, 'datasets.split')?.[0]?.id
  useEffect(() => {
    if (firstId === undefined) return
    onClose()
    navigate(`/datasets/${firstId}`)
  }, [firstId, navigate, onClose])

  function change(at: number, part: Partial<PartDraft>): void {
    setParts(parts.map((entry, index) => (index === at ? { ...entry, ...part } : entry)))
  }

  return (
    <Modal opened onClose={onClose} title="Split into parts" size="md" closeOnClickOutside={!busy}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          split.mutate(input, { onSuccess: (started) => setJobId(started.jobId) })
        }}
      >
        <Stack gap="sm">
          <div className="es-dim">Every sample goes into one part. The parts share the files of the dataset, so they take no space.</div>
          <Group gap={6}>
            {splitPresets.map(({ label, parts: preset }) => (
              <Button key={label} variant="default" size="compact-xs" onClick={() => setParts(preset)} disabled={busy}>
                {label}
              </Button>
            ))}
          </Group>
          <fieldset className={classes.parts} disabled={busy}>
            <legend className={classes.legend}>Parts</legend>
            {parts.map((part, index) => (
              <PartRow
                key={index}
                part={part}
                number={index + 1}
                samples={dataset.report.samples}
                problem={issueAt(parsed.error?.issues, index)}
                onChange={(next) => change(index, next)}
                onRemove={parts.length > 2 ? () => setParts(parts.filter((_, at) => at !== index)) : null}
              />
            ))}
            <div className={classes.total}>
              <Button
                variant="subtle"
                size="compact-xs"
                leftSection={<IconPlus size={13} aria-hidden />}
                disabled={parts.length >= MAX_PARTS}
                onClick={() => setParts([...parts, { name: '', percent: Math.max(0, 100 - totalPercent(parts)) || '' }])}
              >
                Another part
              </Button>
              <span className={problem ? classes.problem : 'es-dim'} role="status">
                {problem ?? restText(parts)}
              </span>
            </div>
          </fieldset>
          <Group gap="lg" align="flex-end">
            <NumberInput
              label="Seed"
              description="The same gives the same parts"
              value={seed}
              onChange={setSeed}
              min={0}
              allowDecimal={false}
              w={200}
            />
            <Checkbox
              label="Keep the shares of the classes"
              checked={stratify && dataset.report.labelled}
              disabled={!dataset.report.labelled}
              onChange={(event) => setStratify(event.currentTarget.checked)}
              mb={7}
            />
          </Group>
          {split.error ? <ErrorNotice error={split.error} /> : null}
          {job && isActive(job) ? <JobProgress job={job} /> : null}
          {job?.error ? <ErrorNotice error={storedError(job.error)} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy} disabled={!parsed.success || problem !== null} data-testid="split-start">
              Split
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

function restText(parts: readonly PartDraft[]): string {
  const rest = 100 - totalPercent(parts)
  return rest > 1e-6 ? `${Number(rest.toFixed(2))} % of the samples go nowhere` : 'all samples'
}

/** The first message about a part, name before share. */
function issueAt(issues: readonly { path: PropertyKey[]; message: string }[] | undefined, index: number): PartProblem {
  const of = (field: string) => issues?.find(({ path }) => path[0] === 'parts' && path[1] === index && path[2] === field)?.message
  return { name: of('name'), share: of('share') ? 'More than 0, at most 100' : undefined }
}

interface PartProblem {
  readonly name: string | undefined
  readonly share: string | undefined
}

interface PartRowProps {
  readonly part: PartDraft
  readonly number: number
  readonly samples: number
  readonly problem: PartProblem
  readonly onChange: (part: Partial<PartDraft>) => void
  readonly onRemove: (() => void) | null
}

function PartRow({ part, number, samples, problem, onChange, onRemove }: PartRowProps) {
  return (
    <div className={classes.part}>
      <TextInput
        aria-label={`Name of part ${number}`}
        placeholder="Name"
        value={part.name}
        onChange={(event) => onChange({ name: event.currentTarget.value })}
        error={part.name === '' ? undefined : problem.name}
        data-testid={`split-name-${number}`}
        data-autofocus={number === 1 || undefined}
      />
      <NumberInput
        aria-label={`Percent of part ${number}`}
        suffix=" %"
        value={part.percent}
        onChange={(percent) => onChange({ percent })}
        error={problem.share}
        min={0}
        max={100}
        clampBehavior="none"
        data-testid={`split-percent-${number}`}
      />
      <span className={`${classes.count} es-num`}>≈ {formatCount(Math.round((samples * (Number(part.percent) || 0)) / 100))}</span>
      <ActionIcon aria-label={`Remove part ${number}`} disabled={!onRemove} onClick={() => onRemove?.()}>
        <IconX size={14} />
      </ActionIcon>
    </div>
  )
}
