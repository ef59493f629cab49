import { Select } from '@mantine/core'
import type { Model } from '../../contract/model.ts'
import { formatBytes } from '../format/bytes.ts'
import { plainText } from '../format/plain-text.ts'
import { recipeText } from '../text/recipe-text.ts'
import classes from './model-select.module.css'

interface ModelSelectProps {
  readonly label: string
  readonly description?: string
  readonly models: readonly Model[]
  readonly value: string | null
  readonly onChange: (id: string | null) => void
  readonly testId?: string
  readonly autoFocus?: boolean
}

/** Chooses a model or build by name. */
export function ModelSelect({ label, description, models, value, onChange, testId, autoFocus }: ModelSelectProps) {
  const byId = new Map(models.map((model) => [model.id, model]))
  return (
    <Select
      label={label}
      description={description}
      data={models.map((model) => ({ value: model.id, label: plainText(model.name, 80) }))}
      value={value !== null && byId.has(value) ? value : null}
      onChange={onChange}
      placeholder="Choose a model or build"
      searchable
      openOnFocus={false}
      allowDeselect={false}
      nothingFoundMessage="No such model"
      maxDropdownHeight={320}
      data-testid={testId}
      data-autofocus={autoFocus || undefined}
      renderOption={({ option }) => {
        const model = byId.get(option.value)
        return (
          <div className={classes.option}>
            <span className="es-ellipsis">{option.label}</span>
            <span className={classes.note}>
              {model?.recipe ? `${recipeText(model.recipe)} · ` : ''}
              {formatBytes(model?.sizeBytes)}
            </span>
          </div>
        )
      }}
    />
  )
}
