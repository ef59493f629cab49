import { Button, Checkbox, Group, PasswordInput, Stack, TextInput } from '@mantine/core'
import { IconHelpCircle } from '@tabler/icons-react'
import { type KeyboardEvent, useState } from 'react'
import type { Question } from '../../contract/question.ts'
import { useAction } from '../backend/use-action.ts'
import { ErrorNotice } from '../components/error-notice.tsx'
import { formatCounted } from '../format/numbers.ts'
import { plainLines, plainText } from '../format/plain-text.ts'
import classes from './question-form.module.css'

interface QuestionFormProps {
  readonly question: Question
  /** Questions after this one. */
  readonly waiting: number
}

/** Escape belongs to this form and not to a dialog below it (Mantine reads this attribute). */
const ownEscape = { 'data-mantine-stop-propagation': 'true' } as const

/** One question: who asks, what it says, a field for each prompt. Text of devices is text from strangers: plain, whatever it holds. */
export function QuestionForm({ question, waiting }: QuestionFormProps) {
  const { id, asker, instructions, prompts, canRemember } = question
  const [answers, setAnswers] = useState<readonly string[]>(() => prompts.map(() => ''))
  const [remember, setRemember] = useState(false)
  const answer = useAction('questions.answer', { showsError: true })
  // The list without it arrives as an event; until then nothing may be sent twice.
  const sent = answer.isPending || answer.isSuccess

  function give(given: readonly string[] | null): void {
    if (!sent) answer.mutate({ id, answers: given === null ? null : [...given], remember: given !== null && canRemember && remember })
  }
  function press(event: KeyboardEvent): void {
    if (event.key !== 'Escape') return
    event.stopPropagation()
    give(null)
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        give(answers)
      }}
      onKeyDown={press}
      data-testid="question"
    >
      <Stack gap="sm">
        <div className={classes.asker}>
          <IconHelpCircle size={16} stroke={1.6} aria-hidden />
          <span className="es-wrap">
            <strong>{plainText(asker, 300)}</strong> asks
          </span>
        </div>
        {instructions.trim() === '' ? null : <div className={`${classes.instructions} es-wrap`}>{plainLines(instructions, 2000)}</div>}
        {prompts.map(({ text, hidden }, index) => {
          const Field = hidden ? PasswordInput : TextInput
          return (
            <Field
              key={index}
              label={plainText(text, 500) || 'Answer'}
              value={answers[index] ?? ''}
              onChange={(event) => setAnswers(answers.with(index, event.currentTarget.value))}
              data-autofocus={index === 0 || undefined}
              data-testid={`question-answer-${index}`}
              autoComplete="off"
              spellCheck={false}
              maxLength={1024}
              {...ownEscape}
            />
          )
        })}
        {canRemember ? (
          <Checkbox
            label="Remember in the key store of this system"
            checked={remember}
            onChange={(event) => setRemember(event.currentTarget.checked)}
            data-testid="question-remember"
            {...ownEscape}
          />
        ) : null}
        {answer.error ? <ErrorNotice error={answer.error} /> : null}
        <Group justify="space-between" wrap="nowrap">
          <span className="es-dim">{waiting > 0 ? `${formatCounted(waiting, 'more question')} after this` : ''}</span>
          <Group gap="xs" wrap="nowrap">
            <Button variant="default" onClick={() => give(null)} disabled={sent} data-testid="question-cancel" {...ownEscape}>
              Cancel
            </Button>
            <Button type="submit" loading={sent} data-testid="question-submit" {...ownEscape}>
              Answer
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  )
}
