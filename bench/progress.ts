/** One line on standard error that is written over while something takes long; whole lines where nobody watches. */
export interface Progress {
  update(text: string): void;
  done(text: string): void;
}

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let width = 0;
  return {
    update(text) {
      if (!stream.isTTY) return;
      stream.write(`\r${text.padEnd(width)}`);
      width = text.length;
    },
    done(text) {
      stream.write(stream.isTTY ? `\r${text.padEnd(width)}\n` : `${text}\n`);
      width = 0;
    },
  };
}
