import { Modal } from '@mantine/core'
import { useCall } from '../backend/use-call.ts'
import { plainText } from '../format/plain-text.ts'
import { QuestionForm } from './question-form.tsx'

/** Above every other dialog: what was being done waits for the answer. */
const Z_INDEX = 300

/** What devices ask while connections are made, one question at a time, wherever the user is. */
export function QuestionDialog() {
  const { data: questions } = useCall('questions.list', {})
  const [question, ...later] = questions ?? []
  if (!question) return null
  return (
    <Modal
      key={question.id}
      opened
      // Only the form's own buttons and keys end it: a question that was closed by accident is a failed connection.
      onClose={() => {}}
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
      title={plainText(question.title, 200)}
      size={440}
      zIndex={Z_INDEX}
    >
      <QuestionForm question={question} waiting={later.length} />
    </Modal>
  )
}
