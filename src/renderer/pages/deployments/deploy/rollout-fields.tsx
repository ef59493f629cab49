import { NumberInput, Radio, Stack, TextInput } from '@mantine/core'
import classes from './deploy.module.css'
import type { RolloutDraft } from './deploy-draft.ts'

interface RolloutFieldsProps {
  readonly rollout: RolloutDraft
  readonly onChange: (rollout: RolloutDraft) => void
  readonly errors: Readonly<Record<string, string>>
}

const kinds = [
  {
    kind: 'switch',
    label: 'Switch',
    text: 'It takes over at once, is watched for a while, and the old version comes back by itself if it does badly.',
  },
  {
    kind: 'canary',
    label: 'Canary',
    text: 'It gets a small share of requests that grows step by step while it does well, then takes over.',
  },
  { kind: 'split', label: 'Split', text: 'It gets a fixed share of requests beside the old version until you decide.' },
  {
    kind: 'shadow',
    label: 'Shadow',
    text: 'It gets copies of requests. Nobody sees its answers; you see how often they differ and how long they take.',
  },
] as const satisfies readonly { kind: RolloutDraft['kind']; label: string; text: string }[]

/** How a new release of a service takes its place. */
export function RolloutFields({ rollout, onChange, errors }: RolloutFieldsProps) {
  const { kind } = rollout
  const set = <K extends keyof RolloutDraft>(key: K) => ({
    value: rollout[key],
    onChange: (value: number | string) => onChange({ ...rollout, [key]: value }),
  })
  return (
    <Stack gap="sm">
      <Radio.Group
        size="xs"
        label="How it takes its place"
        value={kind}
        onChange={(value) => onChange({ ...rollout, kind: value as RolloutDraft['kind'] })}
        data-testid="deploy-rollout"
      >
        <Stack gap={6} pt={4}>
          {kinds.map((entry) => (
            <Radio
              key={entry.kind}
              size="xs"
              value={entry.kind}
              label={entry.label}
              description={entry.text}
              data-testid={`deploy-rollout-${entry.kind}`}
            />
          ))}
        </Stack>
      </Radio.Group>
      <div className={classes.numbers}>
        {kind === 'split' ? (
          <NumberInput
            label="Share of requests"
            suffix=" %"
            {...set('weight')}
            error={errors['rollout.weight']}
            data-testid="deploy-weight"
          />
        ) : null}
        {kind === 'canary' ? (
          <>
            <TextInput
              label="Steps, percent"
              value={rollout.steps}
              onChange={(event) => onChange({ ...rollout, steps: event.currentTarget.value })}
              error={errors['rollout.steps']}
              data-testid="deploy-steps"
            />
            <NumberInput label="Each step takes" suffix=" s" {...set('stepSeconds')} error={errors['rollout.stepSeconds']} />
          </>
        ) : null}
        {kind === 'switch' || kind === 'canary' ? (
          <NumberInput
            label="Watched for"
            suffix=" s"
            {...set('watchSeconds')}
            error={errors['rollout.watchSeconds']}
            data-testid="deploy-watch"
          />
        ) : null}
        <NumberInput
          label="Failed requests, at most"
          suffix=" %"
          {...set('maxErrorPercent')}
          error={errors['rollout.limits.maxErrorRate']}
        />
        <NumberInput
          label="p95 ratio, at most"
          suffix=" ×"
          placeholder="not looked at"
          {...set('maxP95Ratio')}
          error={errors['rollout.limits.maxP95Ratio']}
        />
        <NumberInput
          label="Other answers, at most"
          suffix=" %"
          placeholder="only counted"
          {...set('maxDivergencePercent')}
          error={errors['rollout.limits.maxDivergence']}
        />
        <NumberInput
          label="Judged after"
          suffix=" requests"
          {...set('minRequests')}
          allowDecimal={false}
          error={errors['rollout.limits.minRequests']}
        />
      </div>
    </Stack>
  )
}
