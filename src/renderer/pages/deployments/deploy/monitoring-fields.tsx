import { NumberInput, Switch, TextInput } from '@mantine/core'
import classes from './deploy.module.css'
import type { SettingsDraft } from './settings-draft.ts'

interface MonitoringFieldsProps {
  readonly settings: SettingsDraft
  readonly onChange: (settings: SettingsDraft) => void
  readonly errors: Readonly<Record<string, string>>
}

/** What is kept of predictions, and who is told of drift. */
export function MonitoringFields({ settings, onChange, errors }: MonitoringFieldsProps) {
  return (
    <fieldset className={classes.group}>
      <legend>Monitoring</legend>
      <Switch
        label="Log predictions on the device"
        description="Inputs and answers are written to a file there. They may be private data: keep only what you need, and tell the people it is about"
        checked={settings.log}
        onChange={(event) => onChange({ ...settings, log: event.currentTarget.checked })}
        data-testid="deploy-log"
      />
      {settings.log ? (
        <div className={classes.numbers}>
          <NumberInput
            label="Of all predictions"
            suffix=" %"
            value={settings.logPercent}
            onChange={(logPercent) => onChange({ ...settings, logPercent })}
            error={errors['settings.predictionLog.share']}
          />
          <NumberInput
            label="Kept for"
            suffix=" days"
            value={settings.logDays}
            onChange={(logDays) => onChange({ ...settings, logDays })}
            error={errors['settings.predictionLog.days']}
          />
          <NumberInput
            label="File, at most"
            suffix=" MiB"
            value={settings.logMegabytes}
            onChange={(logMegabytes) => onChange({ ...settings, logMegabytes })}
            error={errors['settings.predictionLog.bytes']}
          />
        </div>
      ) : null}
      <TextInput
        label="Tell this address when the model should be trained again"
        description="A signed POST after two windows of drift in a row, sent by the device. The secret that signs it is shown once, when it is made"
        placeholder="https://ops.example/retrain"
        value={settings.webhookUrl}
        onChange={(event) => onChange({ ...settings, webhookUrl: event.currentTarget.value })}
        error={errors['settings.retraining.url']}
        spellCheck={false}
        data-testid="deploy-webhook"
      />
      {settings.webhookUrl.trim() === '' ? null : (
        <div className={classes.numbers}>
          <NumberInput
            label="Again after"
            suffix=" hours"
            value={settings.webhookHours}
            onChange={(webhookHours) => onChange({ ...settings, webhookHours })}
            error={errors['settings.retraining.coolDownHours']}
          />
        </div>
      )}
    </fieldset>
  )
}
