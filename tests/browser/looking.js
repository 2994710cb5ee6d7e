// Follows axe-core in the file that `tests.browser.looking` has its server send.
{
  const HAS_TEXT_OF_ITS_OWN = 'input, select, textarea, button';
  const UNSEEN = 'data-unseen';
  const VIOLATIONS = {
    resultTypes: ['violations'],
    // No rule reads the rules of style sheets, which axe-core would load once more otherwise.
    preload: {assets: ['media']},
  };
  const CONTRAST = {
    ...VIOLATIONS, resultTypes: ['violations', 'passes'], elementRef: true, selectors: false, runOnly: ['color-contrast'],
  };
  axe.configure({rules: [{id: 'color-contrast', selector: `[${UNSEEN}]`}]});

  const isClear = (style) => style.backgroundColor === 'rgba(0, 0, 0, 0)' && style.backgroundImage === 'none';

  // Whether an element may lie where it would not by itself, and so on others or beneath them.
  function isMoved(style) {
    const {position, transform, zIndex, top, left} = style;
    const margins = [style.marginTop, style.marginRight, style.marginBottom, style.marginLeft];
    const stays = position === 'static' || (position === 'relative' && top === '0px' && left === '0px');
    return !stays || transform !== 'none' || zIndex !== 'auto' || margins.some((margin) => margin.startsWith('-'));
  }

  // What an element does to the colours of the text within it, or to where that lies.
  function told(element, style) {
    const {backgroundColor, backgroundImage, opacity, filter, mixBlendMode, transform, zIndex} = style;
    const parts = [];
    if (!isClear(style)) {
      parts.push(backgroundColor, backgroundImage);
    }
    if (opacity !== '1' || filter !== 'none' || mixBlendMode !== 'normal') {
      parts.push(opacity, filter, mixBlendMode);
    }
    if (isMoved(style)) {
      parts.push(style.position, transform, zIndex, element.localName, element.id, element.className);
    }
    return parts.length ? `|${parts}` : '';
  }

  const EVERYWHERE = new DOMRect(-1e9, -1e9, 2e9, 2e9);
  const NOWHERE = new DOMRect(-1e9, -1e9, 0, 0);
  const isWithin = (one, other) =>
    one.left >= other.left - 1 && one.right <= other.right + 1 && one.top >= other.top - 1 && one.bottom <= other.bottom + 1;

  // The box that the colour beneath an element fills, which what is scrolled within it does not leave.
  function groundOf(element, style, outer) {
    const box = element.getBoundingClientRect();
    const inner = isClear(style) ? outer : box;
    return style.overflow === 'visible' ? inner : isWithin(box, inner) ? EVERYWHERE : NOWHERE;
  }

  const meet = (one, other) =>
    one.left < other.right && one.right > other.left && one.top < other.bottom && one.bottom > other.top;

  // Everything that decides about the contrast of each text that is seen, the same for the same; null where a text may
  // lie on something else than what it is in.
  function looks() {
    const texts = [];
    const strangers = [];
    const visit = (element, beneath, outer) => {
      const style = getComputedStyle(element);
      if (style.display === 'none') {
        return;
      }
      const look = beneath + told(element, style);
      const ground = groundOf(element, style, outer);
      if (isMoved(style) && !isClear(style)) {
        strangers.push({element, box: element.getBoundingClientRect()});
      }
      const isText = element.matches(HAS_TEXT_OF_ITS_OWN)
        || [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
      if (isText && element.checkVisibility({visibilityProperty: true})) {
        const {color, fill, fontSize, fontWeight, textShadow, webkitTextFillColor, webkitTextStroke} = style;
        const text = [color, fill, webkitTextFillColor, webkitTextStroke, fontSize, fontWeight, textShadow];
        texts.push({element, look: [look, ...text].join('|'), box: element.getBoundingClientRect(), ground});
      }
      for (const child of element.children) {
        visit(child, look, ground);
      }
    };
    visit(document.documentElement, '', EVERYWHERE);
    const isElsewhere = ({element, box, ground}) => !isWithin(box, ground)
      || strangers.some((stranger) => meet(box, stranger.box) && !stranger.element.contains(element));
    return new Map(texts.map((text) => [text.element, isElsewhere(text) ? null : text.look]));
  }

  // Of 53 bits: https://github.com/bryc/code/blob/master/jshash/experimental/cyrb53.js
  function digest(text) {
    let [one, other] = [0xdeadbeef, 0x41c6ce57];
    for (let place = 0; place < text.length; place++) {
      const code = text.charCodeAt(place);
      one = Math.imul(one ^ code, 2654435761);
      other = Math.imul(other ^ code, 1597334677);
    }
    one = Math.imul(one ^ (one >>> 16), 2246822507) ^ Math.imul(other ^ (other >>> 13), 3266489909);
    other = Math.imul(other ^ (other >>> 16), 2246822507) ^ Math.imul(one ^ (one >>> 13), 3266489909);
    return 4294967296 * (2097151 & other) + (one >>> 0);
  }

  const problems = ({violations}) =>
    violations.map(({id, impact, help, nodes}) => ({id, impact, help, html: nodes[0].html.slice(0, 200)}));

  // Of what is out of use, and of its labels, nobody need read the text.
  const isOutOfUse = (element) =>
    Boolean(element.closest(':disabled, [aria-disabled="true"]') || element.closest('label')?.control?.disabled);

  // Known are the looks of which any text has contrast enough, and those of which one element was not found wanting.
  async function contrast(known) {
    const unseen = new Map();
    for (const [element, look] of looks()) {
      const any = look && digest(look);
      if (any === null || !known.has(any)) {
        const whole = digest([look, isOutOfUse(element), element.outerHTML].join('|'));
        if (any === null || !known.has(whole)) {
          unseen.set(element, {any, whole});
        }
      }
    }
    if (!unseen.size) {
      return {problems: [], fine: []};
    }
    unseen.forEach((_, element) => element.setAttribute(UNSEEN, ''));
    const result = await axe.run(document, CONTRAST);
    unseen.forEach((_, element) => element.removeAttribute(UNSEEN));
    const elements = (rules) => rules.flatMap((rule) => rule.nodes).map((node) => node.element);
    const fine = new Set(elements(result.passes).map((element) => unseen.get(element).any));
    unseen.forEach(({whole}) => fine.add(whole));
    fine.delete(null);
    for (const element of elements(result.violations)) {
      fine.delete(unseen.get(element).any);
      fine.delete(unseen.get(element).whole);
    }
    return {problems: problems(result), fine: [...fine]};
  }

  window.looking = {
    contrast: (known) => contrast(new Set(known)),
    everythingElse: async () =>
      problems(await axe.run({...VIOLATIONS, rules: {'color-contrast': {enabled: false}}})),
  };
}
