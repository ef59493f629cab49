import { ActionIcon } from '@mantine/core'
import { IconArrowDown, IconArrowUp, IconX } from '@tabler/icons-react'
import { recipeStepSchemas } from '../../../contract/recipe.ts'
import { fieldErrors } from '../../forms/field-errors.ts'
import { type SettingField, settingFields } from '../../forms/setting-fields.ts'
import { SettingInput } from '../../forms/setting-input.tsx'
import { mainSettings, recipeGuides } from '../../text/recipe-guide.ts'
import type { DraftStep } from './optimize-draft.ts'
import classes from './recipe-editor.module.css'

interface StepCardProps {
  readonly step: DraftStep
  readonly index: number
  readonly count: number
  readonly onSetting: (setting: string, value: unknown) => void
  readonly onMove: (by: -1 | 1) => void
  readonly onRemove: () => void
}

/** One step of the recipe with its settings, made from the step's schema. */
export function StepCard({ step, index, count, onSetting, onMove, onRemove }: StepCardProps) {
  const schema = recipeStepSchemas[step.recipe]
  const errors = fieldErrors(schema, { recipe: step.recipe, ...step.settings })
  const { title } = recipeGuides[step.recipe]
  const fields = settingFields(schema)
  const isMain = ({ key }: SettingField) => mainSettings[step.recipe].includes(key)
  const main = fields.filter(isMain)
  const advanced = fields.filter((field) => !isMain(field))
  const input = (field: SettingField) => (
    <SettingInput
      key={field.key}
      field={field}
      value={step.settings[field.key]}
      error={errors[field.key]}
      onChange={(value) => onSetting(field.key, value)}
    />
  )
  return (
    <li className={classes.step} data-testid={`recipe-step-${index}`} data-recipe={step.recipe}>
      <div className={classes.stepHead}>
        <span className={classes.number}>{index + 1}</span>
        <span className={`${classes.stepTitle} es-ellipsis`}>
          <strong>{title}</strong>
          <span className={`${classes.stepName} es-mono`}>{step.recipe}</span>
        </span>
        <ActionIcon size="sm" aria-label={`Move ${title} up`} disabled={index === 0} onClick={() => onMove(-1)}>
          <IconArrowUp size={14} />
        </ActionIcon>
        <ActionIcon size="sm" aria-label={`Move ${title} down`} disabled={index === count - 1} onClick={() => onMove(1)}>
          <IconArrowDown size={14} />
        </ActionIcon>
        <ActionIcon size="sm" aria-label={`Remove ${title}`} onClick={onRemove}>
          <IconX size={14} />
        </ActionIcon>
      </div>
      <div className={classes.settings}>{main.map(input)}</div>
      {advanced.length > 0 ? (
        // Open when something in it was changed or is wrong, so that nothing acts unseen.
        <details className={classes.advanced} open={advanced.some(({ key }) => key in step.settings || errors[key]) || undefined}>
          <summary>Advanced: {advanced.map(({ label }) => label.toLowerCase()).join(', ')}</summary>
          <div className={classes.settings}>{advanced.map(input)}</div>
        </details>
      ) : null}
    </li>
  )
}
