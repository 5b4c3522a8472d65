import type { Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A command as completion sees it. */
interface Known {
  /** For example `journal move`. */
  readonly path: string;
  readonly name: string;
  readonly description: string;
  readonly options: readonly Option[];
  /** What its argument may be, where that is a fixed set. */
  readonly values: readonly string[];
  readonly commands: readonly Known[];
}

/** The script with which a shell completes commands, options and their fixed values; other words are file names. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = commandsOf(program, '');
  const all = commands.flatMap((each) => [each, ...each.commands]);
  const lines = { bash, zsh, fish }[shell](program.name(), commands, all);
  return `${lines.join('\n')}\n`;
}

function commandsOf(parent: Command, before: string): readonly Known[] {
  return parent.commands.map((command) => {
    const name = command.name();
    const path = `${before}${name}`;
    return {
      path,
      name,
      description: command.description(),
      options: command.createHelp().visibleOptions(command),
      values: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
      commands: commandsOf(command, `${path} `),
    };
  });
}

function bash(name: string, commands: readonly Known[], all: readonly Known[]): string[] {
  const words = (list: readonly string[]) => quote(list.join(' '));
  const nested = commands.filter((each) => each.commands.length > 0);
  return [
    `# bash completion for ${name}: source <(${name} completion bash)`,
    `_${name}() {`,
    `  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} options= values=`,
    '  COMPREPLY=()',
    `  if ((COMP_CWORD == 1)); then COMPREPLY=($(compgen -W ${words(commands.map((each) => each.name))} -- "$word")); return; fi`,
    ...nested.map(
      (each) =>
        `  if [[ $command == ${each.name} ]] && ((COMP_CWORD > 2)); then command="${each.name} \${COMP_WORDS[2]}"; fi`,
    ),
    '  case "$command $before" in',
    ...all.flatMap(({ path, options }) =>
      options
        .filter(({ argChoices }) => argChoices)
        .map(
          ({ long, argChoices }) =>
            `    ${quote(`${path} ${long}`)}) COMPREPLY=($(compgen -W ${words(argChoices ?? [])} -- "$word")); return;;`,
        ),
    ),
    '  esac',
    '  case "$command" in',
    ...all.map(
      ({ path, options, values, commands }) =>
        `    ${quote(path)}) options=${words(options.flatMap(flagsOf))} values=${words([...values, ...commands.map((each) => each.name)])};;`,
    ),
    '  esac',
    '  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$word")); else COMPREPLY=($(compgen -W "$values" -- "$word")); fi',
    '}',
    `complete -o default -F _${name} ${name}`,
  ];
}

function zsh(name: string, commands: readonly Known[]): string[] {
  return [
    `#compdef ${name}`,
    `# zsh completion for ${name}: source <(${name} completion zsh), or a file _${name} in $fpath`,
    `_${name}() {`,
    '  local command',
    ...zshCommands(commands, '  '),
    '}',
    `if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi`,
  ];
}

function zshCommands(commands: readonly Known[], indent: string): string[] {
  const entries = commands.map(({ name, description }) => quote(`${name}:${description}`));
  return [
    `${indent}if (( CURRENT == 2 )); then`,
    `${indent}  local -a commands=(${entries.join(' ')})`,
    `${indent}  _describe command commands`,
    `${indent}  return`,
    `${indent}fi`,
    `${indent}command=$words[2]`,
    `${indent}shift words`,
    `${indent}(( CURRENT-- ))`,
    `${indent}case $command in`,
    ...commands.flatMap((each) => [
      `${indent}  ${each.name})`,
      ...(each.commands.length > 0
        ? zshCommands(each.commands, `${indent}    `)
        : [`${indent}    _arguments ${zshArguments(each).join(' ')}`]),
      `${indent}    ;;`,
    ]),
    `${indent}esac`,
  ];
}

function zshArguments({ options, values }: Known): string[] {
  const escaped = (text: string) => text.replace(/[[\]:\\]/g, '\\$&');
  const specs = options.flatMap((option) => {
    const { required, argChoices, description } = option;
    const value = argChoices ? `:value:(${argChoices.join(' ')})` : required ? ':value:_files' : '';
    return flagsOf(option).map((flag) => quote(`${flag}[${escaped(description)}]${value}`));
  });
  return [...specs, quote(values.length > 0 ? `1:value:(${values.join(' ')})` : '*:file:_files')];
}

function fish(name: string, commands: readonly Known[], all: readonly Known[]): string[] {
  const seen = (word: string) => `-n ${fishQuote(`__fish_seen_subcommand_from ${word}`)}`;
  return [
    `# fish completion for ${name}: ${name} completion fish | source`,
    ...commands.map(
      (each) =>
        `complete -c ${name} -n __fish_use_subcommand -f -a ${each.name} -d ${fishQuote(each.description)}`,
    ),
    ...all.flatMap((each) => [
      ...each.commands.map(
        (inner) =>
          `complete -c ${name} ${seen(each.name)} -f -a ${inner.name} -d ${fishQuote(inner.description)}`,
      ),
      ...(each.values.length > 0
        ? [`complete -c ${name} ${seen(each.name)} -f -a ${fishQuote(each.values.join(' '))}`]
        : []),
      ...each.options.map(({ long, short, required, argChoices, description }) =>
        [
          `complete -c ${name} ${seen(each.name)}`,
          ...(short ? [`-s ${short.slice(1)}`] : []),
          ...(long ? [`-l ${long.slice(2)}`] : []),
          ...(argChoices ? [`-x -a ${fishQuote(argChoices.join(' '))}`] : required ? ['-r'] : []),
          `-d ${fishQuote(description)}`,
        ].join(' '),
      ),
    ]),
  ];
}

function flagsOf({ long, short }: Option): string[] {
  return [short, long].filter((flag) => flag !== undefined && flag !== null);
}

/** For bash and zsh. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
