import type { KeyboardInteractiveAuthMethod, Prompt } from 'ssh2'
import { EdgesmithError } from '../contract/errors.ts'
import { mostTries, passwordQuestion, passwordSecret, unanswered } from './ask-user.ts'
import { shownLines, shownText } from './shown-text.ts'
import type { LoginStep, PreparedSteps, SshCredentials, StepContext } from './ssh-auth.ts'

/** Limits of `questionSchema`; honest servers ask one or two things at a time. */
const mostPrompts = 10
const longestPrompt = 500
const mostInstructionLines = 20
/** A server that never stops asking. */
const mostRounds = 20

/** A password that is known: as such, and as the answer to a question for it. */
export function passwordSteps({ password }: Extract<SshCredentials, { method: 'password' }>): PreparedSteps {
  const proof = {}
  const common = { method: 'password' as const, what: 'the password', secondStepOnly: false, proof }
  const answer: LoginStep = {
    ...common,
    wire: 'keyboard-interactive',
    make: async (context) =>
      interactiveMethod(context, false, (round, prompts) => {
        // The first round asks for the password; anything visible, and whatever comes later, asks for something else.
        if (round === 1 && prompts.length > 0 && prompts.every(({ echo }) => echo !== true)) {
          if (context.ask === null || prompts.every(asksForPassword)) return prompts.map(() => password)
        }
        return context.ask === null ? prompts.map(() => '') : null
      }),
  }
  return { steps: [{ ...common, wire: 'password', make: async () => ({ type: 'password', username: '', password }) }, answer], notes: [] }
}

/** Questions for a person, as often as `ssh` asks them. */
export function askedSteps(login: Extract<SshCredentials, { method: 'interactive' }>): PreparedSteps {
  const { methods = ['keyboard-interactive', 'password'], secondStepOnly = false } = login
  const steps: LoginStep[] = []
  for (const wire of methods) {
    const proof = {}
    for (let tries = 0; tries < mostTries; tries++) {
      const again = tries > 0
      const what = wire === 'password' ? 'the password' : 'the answers'
      const make = (context: StepContext) =>
        wire === 'password' ? askedPassword(context, again) : Promise.resolve(interactiveMethod(context, again, () => null))
      steps.push({ method: 'interactive', what, wire, secondStepOnly, proof, make })
    }
  }
  return { steps, notes: [] }
}

async function askedPassword({ ask, place }: StepContext, again: boolean) {
  const answers = await ask?.(passwordQuestion(place, again), passwordSecret(place), undefined, again)
  if (!answers) throw unanswered(place, 'the password')
  return { type: 'password' as const, username: '', password: answers[0] ?? '' }
}

/** @param known answers that need no person; null for a round that has to be asked */
function interactiveMethod(
  context: StepContext,
  again: boolean,
  known: (round: number, prompts: readonly Prompt[]) => readonly string[] | null,
): KeyboardInteractiveAuthMethod {
  let rounds = 0
  return {
    type: 'keyboard-interactive',
    username: '',
    prompt: (name, instructions, _language, prompts, finish) => {
      const round = ++rounds
      if (round > mostRounds || prompts.length > mostPrompts) return context.fail(tooMuchAsked(context.place))
      const answers = known(round, prompts)
      if (answers) return finish([...answers])
      askRound(context, { name, instructions, prompts, again: again && round === 1 }).then(finish, (error) => context.fail(error))
    },
  }
}

async function askRound(
  { ask, place }: StepContext,
  { name, instructions, prompts, again }: { name: string; instructions: string; prompts: readonly Prompt[]; again: boolean },
): Promise<string[]> {
  const isPassword = prompts.length === 1 && prompts.every(asksForPassword)
  const shown = shownLines(instructions, mostInstructionLines, 300).slice(0, 1900)
  const question = {
    asker: shownText(place),
    title: shownText(name, 200) || 'The device asks',
    instructions: again ? `That was refused. ${shown}`.trim() : shown,
    prompts: prompts.map(({ prompt, echo }) => ({ text: shownText(prompt, longestPrompt), hidden: echo !== true })),
    canRemember: isPassword,
  }
  const answers = await ask?.(question, isPassword ? passwordSecret(place) : null, undefined, again)
  if (!answers) throw unanswered(place, isPassword ? 'the password' : undefined)
  return prompts.map((_prompt, index) => answers[index] ?? '')
}

/** A prompt for the lasting password of the user, not for a code that is good once. */
function asksForPassword({ prompt, echo }: Prompt): boolean {
  const text = shownText(prompt, longestPrompt)
  return echo !== true && /passwor[dt]/i.test(text) && !/one.?time|otp|token|new|code/i.test(text)
}

function tooMuchAsked(place: string): EdgesmithError {
  return new EdgesmithError(
    'DEVICE_AUTH_FAILED',
    `${place} asks more than ${mostRounds} times, or more than ${mostPrompts} things at once`,
    {
      hint: 'Is that an ordinary SSH server? Try it with ssh.',
      details: { tried: 'interactive', offered: ['keyboard-interactive'] },
    },
  )
}
