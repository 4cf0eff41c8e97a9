// What can go wrong with a request, in the words of a visitor.

/** @returns [title, text] for a problem of api.js; `subject` is what was asked for. */
export function explain(subject, { kind, wait, status }) {
  const later = wait ? `It asks to wait ${wait === 1 ? 'one second' : `${wait} seconds`} before trying again.` : 'Please try again in a moment.';
  return {
    malformed: ['That is not an A-number', `“${subject}” should be the letter A and up to six digits, such as A000045.`],
    unknown: [`${subject} is not here`, 'The server knows no such sequence. The sample has only a few; choose one of those, or check the number.'],
    empty: [`${subject} has no terms`, 'The server knows the sequence, but no term of it.'],
    busy: ['The server is busy', `It could not answer for ${subject} just now. ${later}`],
    refused: ['The server would not answer', `It answered with status ${status}. Its error log says more.`],
    unreadable: ['An answer that this page cannot read', 'It is not the JSON that was expected.'],
    slow: ['No answer in time', 'The server took the request but has not answered for 20 seconds.'],
    unreachable: ['The server cannot be reached', 'Is it still running? Is the network up?'],
  }[kind];
}
