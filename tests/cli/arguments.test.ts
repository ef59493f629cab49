import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Command, defineCommand } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/commands.ts'
import { commandHelp, overviewHelp } from '../../src/cli/help.ts'
import { flag, repeated, required, setting, settingList, text } from '../../src/cli/option.ts'
import { parseArguments, splitCommand } from '../../src/cli/parse-arguments.ts'
import { benchSettingsSchema } from '../../src/contract/measurement.ts'

const sample = defineCommand({
  name: 'bake',
  summary: 'Bake something',
  positionals: { cake: { description: 'what to bake' }, guest: { description: 'for whom', many: true } },
  options: {
    oven: required(text('NAME', 'which oven')),
    runs: setting('N', benchSettingsSchema.shape.runs),
    heat: setting('X', z.number().gt(0).lt(1).default(0.5)),
    threads: settingList('N[,N…]', benchSettingsSchema.shape.threads),
    topping: repeated(text('NAME', 'what goes on top')),
    'dry-run': flag('only look'),
  },
  examples: ['bake cheesecake me --oven big'],
  run: async () => ({ document: {}, text: '' }),
})

function parse(line: string, command: Command = sample) {
  return parseArguments(command, line.split(' '))
}

describe('parseArguments', () => {
  it('reads options in any order, typed by their schemas', () => {
    expect(parse('cheesecake --runs 20 me --oven=big --threads 1,2,2 --topping a you --topping b --dry-run --json')).toEqual({
      options: {
        oven: 'big',
        runs: 20,
        heat: undefined,
        threads: [1, 2],
        topping: ['a', 'b'],
        'dry-run': true,
        json: true,
        workspace: undefined,
        help: false,
        version: false,
      },
      positionals: { cake: 'cheesecake', guest: ['me', 'you'] },
    })
  })

  it('takes what follows two dashes for arguments', () => {
    expect(parse('--oven big -- --json me').positionals).toEqual({ cake: '--json', guest: ['me'] })
  })

  it.each([
    ['cake me --oven big --rnus 5', 'bake has no option --rnus', 'Did you mean --runs? edgesmith bake --help shows how it is used.'],
    ['cake me --oven big --frobnicate', 'bake has no option --frobnicate', 'edgesmith bake --help shows how it is used.'],
    ['cake me --oven big -r 5', 'bake has no option -r', undefined],
    ['cake me --oven big --runs many', '--runs must be a whole number from 1 to 1000000, found "many"', undefined],
    ['cake me --oven big --runs 1.5', '--runs must be a whole number from 1 to 1000000, found "1.5"', undefined],
    ['cake me --oven big --runs 0', '--runs must be a whole number from 1 to 1000000, found "0"', undefined],
    ['cake me --oven big --heat 1', '--heat must be a number above 0 and below 1, found "1"', undefined],
    ['cake me --oven big --heat=', '--heat must be a number above 0 and below 1, found ""', undefined],
    ['cake me --oven big --threads 1,x', '--threads must be a whole number from 1 to 256, found "x"', undefined],
    ['cake me --oven', '--oven needs a value: --oven NAME', undefined],
    ['cake me --oven --json', '--oven needs a value: --oven NAME', undefined],
    ['cake me --oven a --oven b', '--oven is given twice', undefined],
    ['cake me --oven a --dry-run=yes', '--dry-run takes no value, found "yes"', undefined],
    ['cake me', 'bake needs --oven NAME (which oven)', undefined],
    ['cake --oven big', 'bake needs <guest>: for whom', undefined],
    ['--oven big', 'bake needs <cake>: what to bake', undefined],
  ])('refuses %s', (line, message, hint) => {
    expect(() => parse(line)).toThrow(expect.objectContaining({ code: 'USAGE', message, ...(hint && { hint }) }))
  })

  it('refuses arguments that are too many', () => {
    const doctor = commands.find(({ name }) => name === 'doctor') as Command
    expect(() => parse('now', doctor)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: 'doctor takes no arguments, "now" is one too many' }),
    )
  })
})

describe('splitCommand', () => {
  it.each([
    ['inspect a.onnx', 'inspect', ['a.onnx']],
    ['--json inspect a.onnx', 'inspect', ['--json', 'a.onnx']],
    ['--workspace dir inspect a.onnx', 'inspect', ['--workspace', 'dir', 'a.onnx']],
    ['device add pi pi@host', 'device add', ['pi', 'pi@host']],
    ['device --json list', 'device list', ['--json']],
    ['report latest --out a.html', 'report', ['latest', '--out', 'a.html']],
  ])('finds the command of %s', (line, name, rest) => {
    const found = splitCommand(line.split(' '), commands)
    expect(found.command?.name).toBe(name)
    expect(found.rest).toEqual(rest)
  })

  it('does not take an option’s value for a command', () => {
    expect(splitCommand(['--out', 'inspect', 'a.onnx'], commands).command).toBeUndefined()
  })
})

describe('the help', () => {
  it('lists every command once, and the commands SPEC.md fixes', () => {
    const names = commands.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toEqual(
      expect.arrayContaining([
        'inspect',
        'optimize',
        'evaluate',
        'bench',
        'compare',
        'device add',
        'device list',
        'device probe',
        'device remove',
        'deploy',
        'deployments',
        'rollback',
        'undeploy',
        'validate',
        'serve',
        'export',
        'report',
        'doctor',
      ]),
    )
    const overview = overviewHelp(commands)
    for (const { name, summary } of commands) {
      expect(overview).toContain(`  ${name}`)
      expect(overview.replace(/\s+/g, ' ')).toContain(summary)
    }
  })

  it('shows every option with its default and limits from the contract', () => {
    const help = commandHelp(sample)
    expect(help).toContain('Usage: edgesmith bake <cake> <guest>… --oven NAME [options]')
    expect(help).toContain('--runs N          measured runs (default 1000)')
    expect(help).toContain('--topping NAME    what goes on top; may be given more than once')
    for (const command of commands) for (const option of Object.keys(command.options)) expect(commandHelp(command)).toContain(`--${option}`)
  })

  it('has only examples that its own parser accepts', () => {
    for (const command of commands) {
      expect(command.examples.length).toBeGreaterThan(0)
      for (const example of command.examples) {
        // Elided fingerprints stand for real ones.
        const words = example.replace('SHA256:…', `SHA256:${'A'.repeat(43)}`).split(' ')
        const found = splitCommand(words, commands)
        expect(found.command).toBe(command)
        expect(() => parseArguments(command, found.rest)).not.toThrow()
      }
    }
  })
})
