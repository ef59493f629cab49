import { Checkbox } from '@mantine/core'
import { useState } from 'react'
import { FilterBox } from '../../components/filter-box.tsx'
import { formatExactMoment, formatMoment } from '../../format/moments.ts'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { useNow } from '../../hooks/use-now.ts'
import classes from './choice-list.module.css'
import { type ChoiceKind, choiceLimits, filterChoices, type ReportChoice } from './report-choices.ts'

interface ChoiceListProps {
  readonly choices: readonly ReportChoice[]
  readonly ticked: readonly string[]
  readonly onTicked: (ids: readonly string[]) => void
}

const groups: readonly { readonly kind: ChoiceKind; readonly title: string; readonly none: string }[] = [
  { kind: 'comparison', title: 'Comparisons', none: 'No comparison was made yet.' },
  { kind: 'matrix', title: 'Several devices', none: 'No build was measured on several devices yet.' },
  {
    kind: 'benchmark',
    title: 'Benchmarks',
    none: 'No benchmark was run on its own yet; those of comparisons and matrices come with them.',
  },
  { kind: 'evaluation', title: 'Evaluations', none: 'No evaluation was run on its own yet; those of comparisons come with them.' },
  { kind: 'validation', title: 'Validations', none: 'No service was validated yet.' },
  { kind: 'analysis', title: 'Analyses', none: 'No profile, layer comparison or explanation was made yet.' },
]

/** Drawn of each kind; the filter finds the others. */
const MAX_DRAWN = 100

/** What was measured, by kind, to tick. */
export function ChoiceList({ choices, ticked, onTicked }: ChoiceListProps) {
  const [filter, setFilter] = useState('')
  const found = filterChoices(choices, filter)
  return (
    <div className={classes.box}>
      <FilterBox value={filter} onChange={setFilter} label="Filter what was measured" />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <section className={classes.scroll} tabIndex={0} aria-label="What was measured">
        {groups.map(({ kind, title, none }) => {
          const all = choices.filter((choice) => choice.kind === kind)
          const shown = found.filter((choice) => choice.kind === kind)
          const full = all.filter(({ id }) => ticked.includes(id)).length >= choiceLimits[kind]
          return (
            <fieldset key={kind} className={classes.group}>
              <legend className={classes.legend}>
                {title} <span className="es-dim">{formatCount(all.length)}</span>
              </legend>
              {shown.slice(0, MAX_DRAWN).map((choice) => (
                <ChoiceRow
                  key={choice.id}
                  choice={choice}
                  checked={ticked.includes(choice.id)}
                  disabled={full}
                  onCheck={(checked) => onTicked(checked ? [...ticked, choice.id] : ticked.filter((id) => id !== choice.id))}
                />
              ))}
              {shown.length === 0 ? <p className={classes.none}>{all.length === 0 ? none : 'None fits the filter.'}</p> : null}
              {shown.length > MAX_DRAWN ? (
                <p className={classes.none}>and {formatCount(shown.length - MAX_DRAWN)} more: the filter finds them</p>
              ) : null}
            </fieldset>
          )
        })}
      </section>
    </div>
  )
}

interface ChoiceRowProps {
  readonly choice: ReportChoice
  readonly checked: boolean
  /** As many of this kind as a report takes are ticked. */
  readonly disabled: boolean
  readonly onCheck: (checked: boolean) => void
}

function ChoiceRow({ choice, checked, disabled, onCheck }: ChoiceRowProps) {
  const now = useNow(60_000)
  return (
    <div className={classes.row}>
      <Checkbox
        checked={checked}
        disabled={disabled && !checked}
        onChange={(event) => onCheck(event.currentTarget.checked)}
        label={plainText(choice.title, 100)}
        classNames={{ root: classes.check, labelWrapper: classes.label }}
        data-testid={`report-choice-${choice.id}`}
      />
      <span className={`${classes.note} es-ellipsis`}>{plainText(choice.note, 100)}</span>
      <span className={classes.note} title={formatExactMoment(choice.createdAt)}>
        {formatMoment(choice.createdAt, now)}
      </span>
    </div>
  )
}
