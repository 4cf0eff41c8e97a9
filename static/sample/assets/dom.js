// Elements in one expression. What is not an element becomes text: nothing that a server sends is
// ever read as HTML.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A link to a sequence on this page; app.js follows it without loading the page again. */
export const sequenceLink = (id, ...children) => element('a', { href: `?seq=${id}`, 'data-id': id }, ...children);

/** Thousands apart, as everywhere on this page. */
export const grouped = (count) => count.toLocaleString('en-US');
