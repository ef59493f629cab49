import { Checkbox, Input } from '@mantine/core'
import type { Model } from '../../../contract/model.ts'
import { formatBytes } from '../../format/bytes.ts'
import { plainText } from '../../format/plain-text.ts'
import { recipeText } from '../../text/recipe-text.ts'
import { parentOf } from '../models/model-tree.ts'
import classes from './new-comparison.module.css'

/** The contract compares at most this many models with a baseline. */
const MAX_TICKED = 16

interface ModelChecklistProps {
  readonly models: readonly Model[]
  readonly baselineId: string | null
  readonly ticked: readonly string[]
  readonly onTick: (modelId: string, ticked: boolean) => void
}

/** Models to tick; builds of the baseline come first. */
export function ModelChecklist({ models, baselineId, ticked, onTick }: ModelChecklistProps) {
  const byId = new Map(models.map((model) => [model.id, model]))
  const related = (model: Model): boolean => {
    for (let at: Model | undefined = model, steps = 0; at && steps <= models.length; at = parentOf(at, byId), steps++) {
      if (at.id === baselineId) return true
    }
    return false
  }
  const others = models.filter(({ id }) => id !== baselineId)
  const sorted = [...others.filter(related), ...others.filter((model) => !related(model))]
  return (
    <Input.Wrapper label="Compared with it" labelElement="div" size="xs">
      <ul className={classes.checklist}>
        {sorted.map((model) => (
          <li key={model.id} className={classes.choice}>
            <Checkbox
              checked={ticked.includes(model.id)}
              disabled={!ticked.includes(model.id) && ticked.length >= MAX_TICKED}
              onChange={(event) => onTick(model.id, event.currentTarget.checked)}
              label={plainText(model.name, 80)}
              className={classes.choiceName}
              data-testid={`compare-model-${plainText(model.name)}`}
            />
            <span className="es-dim es-num">
              {model.recipe ? `${recipeText(model.recipe)} · ` : ''}
              {formatBytes(model.sizeBytes)}
            </span>
          </li>
        ))}
        {sorted.length === 0 ? <li className={classes.none}>There is no other model. Make a build on the page Optimize.</li> : null}
      </ul>
    </Input.Wrapper>
  )
}
