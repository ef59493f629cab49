import { Button, CopyButton } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { requestSnippet, type SnippetRequest, snippetLanguages } from './request-snippets.ts'
import classes from './try-it.module.css'

/** Copies the request as a program; the token is not in it. */
export function CopyRequest({ request }: { request: SnippetRequest }) {
  return (
    <span className={classes.copies}>
      <span className="es-dim">Copy as</span>
      {snippetLanguages.map((language) => (
        <CopyButton key={language} value={requestSnippet(language, request)} timeout={1500}>
          {({ copied, copy }) => (
            <Button
              size="compact-xs"
              variant="default"
              onClick={copy}
              leftSection={copied ? <IconCheck size={13} /> : <IconCopy size={13} />}
              data-testid={`copy-${language.toLowerCase()}`}
            >
              {language}
            </Button>
          )}
        </CopyButton>
      ))}
    </span>
  )
}
