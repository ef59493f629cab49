import { plainLines } from '../format/plain-text.ts'
import classes from './code-block.module.css'
import { CopyValue } from './copy-value.tsx'

interface CodeBlockProps {
  readonly text: string
  /** What the text is, for the copy button. */
  readonly what: string
  readonly maxHeight?: number
  readonly testId?: string
}

/** Text in a fixed-width font with a copy button: commands, JSON, logs. */
export function CodeBlock({ text, what, maxHeight = 320, testId }: CodeBlockProps) {
  return (
    <div className={classes.block}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard */}
      <pre className={classes.text} style={{ maxHeight }} tabIndex={0} data-testid={testId}>
        {plainLines(text)}
      </pre>
      <div className={classes.copy}>
        <CopyValue value={text} what={what} />
      </div>
    </div>
  )
}
