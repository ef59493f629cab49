import { IconCheck, IconX } from '@tabler/icons-react'
import { CodeBlock } from '../../../components/code-block.tsx'
import { compactJson } from '../../../format/compact-json.ts'
import { formatMs } from '../../../format/durations.ts'
import { plainText } from '../../../format/plain-text.ts'
import { formatRoughPercent } from '../../../format/shares.ts'
import { type PredictedClass, predictedClass } from '../predicted-class.ts'
import { refusal } from './request-body.ts'
import classes from './try-it.module.css'

interface TryAnswerProps {
  readonly answer: { readonly httpStatus: number; readonly response: unknown; readonly roundTripMs: number }
  /** Class of the sample that was sent; null where it has none, undefined where the request was no sample. */
  readonly expected?: number | null
  readonly labels: readonly string[] | null
}

/** What came back: the class with its confidence, or why the service refused; the time it took; the JSON. */
export function TryAnswer({ answer, expected, labels }: TryAnswerProps) {
  const predicted = predictedClass(answer.response)
  const refused = refusal(answer.response)
  const right = predicted !== null && typeof expected === 'number' ? predicted.index === expected : null
  return (
    <div
      className={classes.answer}
      data-testid="try-answer"
      data-status={answer.httpStatus}
      data-code={refused?.code}
      data-predicted={predicted?.index ?? ''}
    >
      {refused ? (
        <div className={classes.refused} role="status">
          <div className="es-wrap">{plainText(refused.message, 1000)}</div>
          {refused.hint === null ? null : <div className="es-wrap es-dim">{plainText(refused.hint, 1000)}</div>}
          {refused.code === '' ? null : <div className="es-mono es-dim">{plainText(refused.code, 60)}</div>}
        </div>
      ) : null}
      <dl className={classes.verdict}>
        {refused || (predicted === null && expected === undefined) ? null : (
          <div>
            <dt>Predicted</dt>
            <dd className={right === null ? undefined : right ? classes.match : classes.mismatch}>
              {right === null ? null : right ? <IconCheck size={14} aria-label="right" /> : <IconX size={14} aria-label="wrong" />}
              {predicted === null ? 'no class' : predictionText(predicted)}
            </dd>
          </div>
        )}
        {expected === undefined ? null : (
          <div>
            <dt>Expected</dt>
            <dd>{expected === null ? 'no label' : classText(expected, labels?.[expected] ?? null)}</dd>
          </div>
        )}
        <div>
          <dt>Round trip</dt>
          <dd>{formatMs(answer.roundTripMs)}</dd>
        </div>
        <div>
          <dt>HTTP</dt>
          <dd>{answer.httpStatus}</dd>
        </div>
      </dl>
      <CodeBlock text={compactJson(answer.response)} what="response" maxHeight={220} testId="try-response" />
    </div>
  )
}

function predictionText({ index, label, confidence }: PredictedClass): string {
  const name = classText(index, label)
  return confidence === null ? name : `${name}, ${formatRoughPercent(confidence)}`
}

function classText(index: number, label: string | null): string {
  return label === null ? `class ${index}` : `${plainText(label, 60)} (${index})`
}
