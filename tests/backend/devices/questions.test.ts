import { describe, expect, it } from 'vitest'
import { Questions } from '../../../src/backend/devices/questions.ts'
import type { SecretStore } from '../../../src/backend/secret-store.ts'

const question = {
  asker: 'pi@board:22',
  title: 'Passphrase of a key',
  instructions: '',
  prompts: [{ text: 'Passphrase', hidden: true }],
  canRemember: true,
}

function memory(kept: Record<string, string> = {}): SecretStore & { kept: Map<string, string> } {
  const map = new Map(Object.entries(kept))
  return {
    kept: map,
    get: async (key) => map.get(key) ?? null,
    put: async (key, value) => void map.set(key, value),
    remove: async (key) => void map.delete(key),
  }
}

/** The key store is asked first, so a question is open only a turn later. */
async function opened(questions: Questions) {
  for (let turn = 0; turn < 20 && questions.list().length === 0; turn++) await Promise.resolve()
  const [first] = questions.list()
  if (!first) throw new Error('no question is open')
  return first
}

describe('questions of devices', () => {
  it('wait for an answer, which is kept when asked to', async () => {
    const secrets = memory()
    let changes = 0
    const questions = new Questions(secrets, true, () => changes++)
    const asked = questions.asker(question, 'key-passphrase:/id')
    const { id, title } = await opened(questions)
    expect(title).toBe('Passphrase of a key')
    questions.answer(id, { answers: ['open sesame'], remember: true })
    expect(await asked).toEqual(['open sesame'])
    expect(secrets.kept.get('key-passphrase:/id')).toBe('open sesame')
    expect(questions.list()).toEqual([])
    expect(changes).toBe(2)
    // The next connection needs nobody.
    expect(await questions.asker(question, 'key-passphrase:/id')).toEqual(['open sesame'])
  })

  it('forget a kept answer that was wrong, and ask again', async () => {
    const secrets = memory({ key: 'old' })
    const questions = new Questions(secrets, true, () => {})
    const asked = questions.asker(question, 'key', undefined, true)
    const { id } = await opened(questions)
    expect(secrets.kept.has('key')).toBe(false)
    questions.answer(id, { answers: ['new'], remember: false })
    expect(await asked).toEqual(['new'])
    expect(secrets.kept.has('key')).toBe(false)
  })

  it('never keep or look up what is good only once', async () => {
    const secrets = memory({ code: '123456' })
    const questions = new Questions(secrets, true, () => {})
    const asked = questions.asker({ ...question, canRemember: false }, 'code')
    questions.answer((await opened(questions)).id, { answers: ['654321'], remember: true })
    expect(await asked).toEqual(['654321'])
    expect([...secrets.kept]).toEqual([['code', '123456']])
  })

  it('are given up where nobody answers, when the connection ends, and when the program does', async () => {
    const nobody = new Questions(memory(), false, () => {})
    expect(await nobody.asker(question, null)).toBeNull()
    const questions = new Questions(memory(), true, () => {})
    const controller = new AbortController()
    const lost = questions.asker(question, null, controller.signal)
    await opened(questions)
    controller.abort()
    expect(await lost).toBeNull()
    const open = questions.asker(question, null)
    await opened(questions)
    questions.close()
    expect(await open).toBeNull()
  })

  it('refuse an answer to nothing, and another number of answers than prompts', async () => {
    const questions = new Questions(memory(), true, () => {})
    expect(() => questions.answer('00000000-0000-4000-8000-000000000000', { answers: [], remember: false })).toThrow(/not open any more/)
    const asked = questions.asker(question, null)
    const { id } = await opened(questions)
    expect(() => questions.answer(id, { answers: ['a', 'b'], remember: false })).toThrow('1 answers are needed, 2 were given')
    questions.answer(id, { answers: null, remember: false })
    expect(await asked).toBeNull()
  })

  it('are not piled up by a device that asks without end', async () => {
    const questions = new Questions(memory(), true, () => {})
    const asked = Array.from({ length: 25 }, () => questions.asker(question, null))
    for (let turn = 0; turn < 50; turn++) await Promise.resolve()
    expect(questions.list()).toHaveLength(20)
    questions.close()
    expect((await Promise.all(asked)).every((answer) => answer === null)).toBe(true)
  })
})
