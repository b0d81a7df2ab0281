/** Names that RabbitMQ has given, and those of operators and of the API. */
const replyPrefixes = ['amq.gen-', 'operator.', 'api.answers.'];

/**
 * Whether an answer may go there: the balancer may write to every queue, and whoever sends a command chooses which. An answer in
 * a session's queue would reach its client, and one in `mesh.plan` would take the plan's place.
 */
export const isReplyAddress = (name: string): boolean =>
  Buffer.byteLength(name) <= 255 &&
  (replyPrefixes.some((prefix) => name.startsWith(prefix)) || isDirectReplyTo(name));

/** Names of direct reply-tos begin so. */
export const directReplyPrefix = 'amq.rabbitmq.reply-to.';

const directForm = /^amq\.rabbitmq\.reply-to\.([A-Za-z0-9+/]+={0,2})\.([A-Za-z0-9+/]+={0,2})$/;
/**
 * An Erlang process in its external form: on a node that RabbitMQ calls `reply@<number>`, whose length stands before it, with 12
 * bytes behind it. Read as latin1.
 */
const processForm = /^\x83X(?:[vd]\0|w)(.)(reply@\d{1,10}).{12}$/s;

/**
 * Whether it is a direct reply-to as RabbitMQ writes it. RabbitMQ 3.10 ends the connection that publishes to one that it cannot
 * read. Not even this is enough: one that is well formed may name a process that never was.
 */
function isDirectReplyTo(name: string): boolean {
  const [, process = '', key = ''] = directForm.exec(name) ?? [];
  if (!isBase64(process) || !isBase64(key)) return false;
  const [, length = '', node = ''] =
    processForm.exec(Buffer.from(process, 'base64').toString('latin1')) ?? [];
  return node !== '' && length.charCodeAt(0) === node.length;
}

const isBase64 = (text: string): boolean =>
  text !== '' && Buffer.from(text, 'base64').toString('base64') === text;
