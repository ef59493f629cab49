import { Collapse, NumberInput, Select, Stack, UnstyledButton } from '@mantine/core'
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react'
import { useId, useState } from 'react'
import { AccessFields } from './access-fields.tsx'
import classes from './deploy.module.css'
import type { DeployDraft } from './deploy-draft.ts'
import { MonitoringFields } from './monitoring-fields.tsx'

interface AdvancedFieldsProps {
  readonly draft: DeployDraft
  readonly onChange: (draft: DeployDraft) => void
  readonly errors: Readonly<Record<string, string>>
  /** Outputs of the model: one of them may be answered on request only. */
  readonly outputs: readonly string[]
}

/** What has a good default: where the model runs, who may ask, what is kept, how it is started. */
export function AdvancedFields({ draft, onChange, errors, outputs }: AdvancedFieldsProps) {
  const [opened, setOpened] = useState(false)
  const fields = useId()
  // A field that is wrong must be seen.
  const open = opened || Object.keys(errors).some((path) => /^(settings|port|threads|workers|embedding)\b/.test(path))
  const Chevron = open ? IconChevronDown : IconChevronRight
  return (
    <div>
      <UnstyledButton
        className={classes.disclosure}
        onClick={() => setOpened(!open)}
        aria-expanded={open}
        aria-controls={fields}
        data-testid="deploy-advanced"
      >
        <Chevron size={14} stroke={1.8} aria-hidden />
        Advanced: processor, access, prediction log, webhook, start
      </UnstyledButton>
      <Collapse expanded={open} id={fields}>
        <Stack gap="md" pt={8}>
          <div className={classes.numbers}>
            <NumberInput
              label="Port on the device"
              placeholder="Its own, or a free one"
              value={draft.port}
              onChange={(port) => onChange({ ...draft, port })}
              error={errors.port}
              allowDecimal={false}
              hideControls
              thousandSeparator=""
              data-testid="deploy-port"
            />
            <NumberInput
              label="Threads for one run"
              placeholder="1"
              value={draft.threads}
              onChange={(threads) => onChange({ ...draft, threads })}
              error={errors.threads}
              allowDecimal={false}
              min={1}
            />
            <NumberInput
              label="Workers beside the server"
              placeholder="From the time of a run"
              value={draft.workers}
              onChange={(workers) => onChange({ ...draft, workers })}
              error={errors.workers}
              allowDecimal={false}
              min={0}
            />
            {outputs.length > 1 ? (
              <Select
                label="Only on request"
                placeholder="All outputs are answered"
                data={[...outputs]}
                value={draft.embedding === '' ? null : draft.embedding}
                onChange={(embedding) => onChange({ ...draft, embedding: embedding ?? '' })}
                clearable
              />
            ) : null}
          </div>
          <AccessFields settings={draft.settings} onChange={(settings) => onChange({ ...draft, settings })} errors={errors} />
          <MonitoringFields settings={draft.settings} onChange={(settings) => onChange({ ...draft, settings })} errors={errors} />
          <Select
            label="Kept running by"
            description={superviseTexts[draft.supervise]}
            data={[
              { value: 'auto', label: 'What the device offers without root' },
              { value: 'system', label: 'A system unit, through sudo without password' },
              { value: 'process', label: 'A process only' },
            ]}
            value={draft.supervise}
            onChange={(supervise) => onChange({ ...draft, supervise: (supervise ?? 'auto') as DeployDraft['supervise'] })}
            allowDeselect={false}
            data-testid="deploy-supervise"
          />
        </Stack>
      </Collapse>
    </div>
  )
}

const superviseTexts = {
  auto: 'A user unit of systemd where it lives without a login, else cron, else a process. What it became is shown on the page.',
  system: 'A hardened unit that starts with the device, whoever is logged in.',
  process: 'Comes back after a crash, but not after the device was started again.',
} as const
