import { Input } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import type { SetStateAction } from 'react'
import { recipeGroups, recipeGuides } from '../../text/recipe-guide.ts'
import { MAX_STEPS, type OptimizeDraft, withMovedStep, withSetting, withStep } from './optimize-draft.ts'
import classes from './recipe-editor.module.css'
import { StepCard } from './step-card.tsx'

interface RecipeEditorProps {
  readonly draft: OptimizeDraft
  readonly setDraft: (change: SetStateAction<OptimizeDraft>) => void
}

/** The steps in their order, and buttons that add another. */
export function RecipeEditor({ draft, setDraft }: RecipeEditorProps) {
  const first = draft.steps.length === 0
  const full = draft.steps.length >= MAX_STEPS
  return (
    <Input.Wrapper label="Recipe" description="Steps are applied from top to bottom, up to eight." labelElement="div" size="xs">
      <ol className={classes.steps}>
        {draft.steps.map((step, index) => (
          <StepCard
            key={step.key}
            step={step}
            index={index}
            count={draft.steps.length}
            onSetting={(setting, value) => setDraft(withSetting(draft, step.key, setting, value))}
            onMove={(by) => setDraft(withMovedStep(draft, index, by))}
            onRemove={() => setDraft({ ...draft, steps: draft.steps.filter(({ key }) => key !== step.key) })}
          />
        ))}
      </ol>
      {recipeGroups.map(({ title, recipes }) => (
        <section key={title} className={classes.group} aria-label={title}>
          <h4 className={classes.groupTitle}>{title}</h4>
          <div className={first ? classes.choices : classes.more}>
            {recipes.map((name) => (
              <button
                key={name}
                type="button"
                className={classes.choice}
                title={first ? undefined : recipeGuides[name].what}
                disabled={full}
                onClick={() => setDraft(withStep(draft, name))}
                data-testid={`recipe-add-${name}`}
              >
                <IconPlus size={14} aria-hidden />
                <span>
                  <span className={classes.title}>{recipeGuides[name].title}</span>
                  {first ? <span className={classes.what}>{recipeGuides[name].what}</span> : null}
                </span>
              </button>
            ))}
          </div>
        </section>
      ))}
    </Input.Wrapper>
  )
}
