import { EdgesmithError } from '../../contract/errors.ts'
import { defineCommand } from '../command.ts'
import { textTable } from '../text-table.ts'

export const doctorCommand = defineCommand({
  name: 'doctor',
  summary: 'What is installed and what is missing',
  positionals: {},
  options: {},
  notes: ['The exit code is 1 when something is missing.'],
  examples: ['doctor'],
  run: async (context) => {
    const backend = await context.backend()
    const checks = await backend.call('doctor.run', {})
    const missing = checks.filter(({ status }) => status === 'missing')
    return {
      document: { ok: missing.length === 0, checks },
      text: textTable(
        [{ title: '' }, { title: 'check' }, { title: 'found' }, { title: 'needed' }, { title: 'what to do' }],
        checks.map(({ name, status, found, needed, fix }) => [status, name, found, needed, fix ?? '']),
      ),
      failure:
        missing.length === 0
          ? undefined
          : new EdgesmithError('SETUP_INCOMPLETE', `Missing: ${missing.map(({ name }) => name).join(', ')}`, {
              hint: 'The last column above says what to do.',
            }),
    }
  },
})
