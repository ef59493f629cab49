import { Button, Checkbox, FileInput } from '@mantine/core'
import { IconPhoto, IconSend } from '@tabler/icons-react'
import { useState } from 'react'
import type { Deployment } from '../../../../contract/deployment.ts'
import { useAction } from '../../../backend/use-action.ts'
import { ErrorNotice } from '../../../components/error-notice.tsx'
import { notifyError } from '../../../components/notify.tsx'
import { plainText } from '../../../format/plain-text.ts'
import { ArrayInputs } from './array-inputs.tsx'
import { CopyRequest } from './copy-request.tsx'
import { type ImageFile, readImageFile } from './image-file.ts'
import { NamedFields } from './named-fields.tsx'
import { fieldsBody, inputsBody, refusal, refusedName, startInput } from './request-body.ts'
import { type ServedForm, startValue } from './served-form.ts'
import { TryAnswer } from './try-answer.tsx'
import classes from './try-it.module.css'

interface TryFormProps {
  readonly deployment: Deployment
  readonly form: ServedForm
  readonly mode: 'fields' | 'inputs' | 'image'
}

/** A request made by hand: named values, lists as JSON, or an image file; sent and answered here, or copied as a program. */
export function TryForm({ deployment, form, mode }: TryFormProps) {
  const [typed, setTyped] = useState<ReadonlyMap<string, string>>(
    () =>
      new Map(
        mode === 'fields'
          ? form.fields.map((field) => [field.name, startValue(field)] as const)
          : form.inputs.map((input) => [input.name, startInput(input)] as const),
      ),
  )
  const [image, setImage] = useState<ImageFile | null>(null)
  const [embedding, setEmbedding] = useState(false)
  const ask = useAction('deployments.ask', { showsError: true })
  const made = mode === 'fields' ? fieldsBody(form.fields, typed) : inputsBody(form.inputs, typed)
  const names = mode === 'fields' ? form.fields.map(({ name }) => name) : form.inputs.map(({ name }) => name)
  const refused = refusedName(ask.data?.response, names)
  const problems = new Map([
    ...(refused === null ? [] : [[refused, plainText(refusal(ask.data?.response)?.message ?? '', 300)] as const]),
    ...(mode === 'image' ? [] : (made.problems ?? [])),
  ])
  const body = made.body && embedding ? { ...made.body, embedding: true } : made.body
  const ready = mode === 'image' ? image !== null : body !== undefined
  const url = deployment.localUrl ?? `http://127.0.0.1:${deployment.port}`

  function send(): void {
    if (mode === 'image') {
      if (image) ask.mutate({ id: deployment.id, image: { contentType: image.contentType, base64: image.base64 } })
    } else if (body) ask.mutate({ id: deployment.id, body })
  }
  function change(name: string, value: string): void {
    setTyped(new Map([...typed, [name, value]]))
    // The refusal was of another value.
    if (name === refused) ask.reset()
  }
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {mode === 'fields' ? <NamedFields fields={form.fields} values={typed} onChange={change} problems={problems} /> : null}
      {mode === 'inputs' ? <ArrayInputs inputs={form.inputs} values={typed} onChange={change} problems={problems} /> : null}
      {mode === 'image' ? (
        <FileInput
          size="xs"
          label="Image"
          description="Sent as it is; the service brings it to the model's size"
          placeholder="Choose an image file"
          leftSection={<IconPhoto size={14} />}
          accept={form.imageTypes.join(',')}
          fileInputProps={{ 'aria-label': 'Image file' }}
          clearButtonProps={{ 'aria-label': 'Take the image away' }}
          clearable
          onChange={(file) => {
            if (!file) setImage(null)
            else readImageFile(file).then(setImage, (error: unknown) => notifyError(error, 'The image was not read'))
          }}
          data-testid="try-image"
        />
      ) : null}
      <div className={classes.foot}>
        <Button type="submit" leftSection={<IconSend size={14} />} disabled={!ready} loading={ask.isPending} data-testid="try-ask">
          Send
        </Button>
        {form.hasEmbedding && mode !== 'image' ? (
          <Checkbox label="Answer the embedding too" checked={embedding} onChange={(event) => setEmbedding(event.currentTarget.checked)} />
        ) : null}
        {mode === 'image' && image ? (
          <CopyRequest request={{ url, body: { contentType: image.contentType, fileName: image.name } }} />
        ) : body && mode !== 'image' ? (
          <CopyRequest request={{ url, body: { json: body } }} />
        ) : null}
      </div>
      {ask.error ? <ErrorNotice error={ask.error} onClose={ask.reset} /> : ask.data ? <TryAnswer answer={ask.data} labels={null} /> : null}
    </form>
  )
}
