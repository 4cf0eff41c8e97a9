// Questions about a whole page, answered inside the browser.

/** Elements that reach beyond the viewport, when the page can be scrolled sideways. */
export async function horizontalOverflow(page) {
  return page.evaluate(() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    const wide = [...document.body.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > root.clientWidth + 0.5);
    return [`page is ${root.scrollWidth} wide in ${root.clientWidth}`, ...wide.slice(0, 5).map((e) => `${e.tagName}#${e.id}.${e.className}`)];
  });
}

/** Visible text whose contrast with its background is below 4.5:1 (WCAG 2.2, 1.4.3). */
export async function lowContrast(page) {
  return page.evaluate(() => {
    const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    // The canvas resolves any colour syntax (color-mix, oklch) to bytes.
    const rgba = (color) => {
      paint.clearRect(0, 0, 1, 1);
      paint.fillStyle = color;
      paint.fillRect(0, 0, 1, 1);
      return [...paint.getImageData(0, 0, 1, 1).data];
    };
    const luminance = ([r, g, b]) => [r, g, b]
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
      .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
    const backgroundOf = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = rgba(getComputedStyle(at).backgroundColor);
        if (color[3] === 255) return color;
      }
      return [255, 255, 255, 255];
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || element.closest('noscript') || !element.checkVisibility()) continue;
      const style = getComputedStyle(element);
      const text = luminance(rgba(element instanceof SVGElement ? style.fill : style.color));
      const ground = luminance(backgroundOf(element));
      const ratio = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
      if (ratio < 4.5) found.push(`${ratio.toFixed(2)}: ${node.data.trim().slice(0, 40)}`);
    }
    return found;
  });
}

/** Fields and buttons without a name for a screen reader. */
export async function unnamedControls(page) {
  return page.evaluate(() => [...document.querySelectorAll('input, select, button, a')]
    .filter((control) => control.checkVisibility())
    .filter((control) => {
      const label = control.labels?.[0]?.textContent ?? control.getAttribute('aria-label') ?? control.textContent;
      return !label.trim() && !control.querySelector('img[alt]:not([alt=""])');
    })
    .map((control) => control.outerHTML.slice(0, 120)));
}
