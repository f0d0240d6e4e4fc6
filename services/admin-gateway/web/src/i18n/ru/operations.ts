/**
 * Слова о том, что умеют провайдеры: по провайдеру, операции (`any`: любая его операция) и полю её настроек.
 * Где их нет, страница показывает слова из схемы самого провайдера.
 */
const strength = (description: string) => ({ title: "Сила", description });

const safetyLevels = {
  default: "Как у провайдера",
  BLOCK_LOW_AND_ABOVE: "Строго: блокировать даже маловероятное",
  BLOCK_MEDIUM_AND_ABOVE: "Средне",
  BLOCK_ONLY_HIGH: "Мягко: только очень вероятное",
  BLOCK_NONE: "Ничего не блокировать",
  OFF: "Фильтр выключен",
};

const safety = (what: string) => ({
  title: `Безопасность: ${what}`,
  description:
    "При какой вероятности такое содержание блокируется. Блокировка самих картинок остаётся включённой.",
  options: safetyLevels,
});

export const operations = {
  providers: { gemini: "Google Gemini", turbotext: "Turbotext", local: "На этом компьютере" },
  operations: {
    gemini: { image_edit: "Обработка по промпту", style_transfer: "Стиль с картинки" },
    turbotext: {
      style_transfer: "Стиль с картинки",
      image_edit: "Обработка по промпту",
      identity_transfer: "Замена лица",
    },
    local: {
      background_color: "Цветной фон",
      background_gradient: "Фон-градиент",
      background_image: "Фон-картинка",
      background_blur: "Размытие фона",
      sticker: "Стикер",
      pencil: "Карандашный рисунок",
      watercolor: "Акварель",
      comic: "Комикс",
      black_and_white_portrait: "Чёрно-белый портрет",
      golden_hour: "Золотой час",
    },
  },
  summaries: {
    local: {
      background_color: "Ставит за людьми ровный цвет.",
      background_gradient: "Ставит за людьми плавный градиент, как студийный фон.",
      background_image: "Ставит за людьми картинку-шаблон. Она заполняет кадр и обрезается поровну с краёв.",
      background_blur: "Уводит фон из резкости, как светосильный портретный объектив; люди остаются резкими.",
      sticker: "Вырезает людей с обводкой на прозрачном фоне.",
      pencil: "Перерисовывает фото карандашом на бумаге; окружение только намечено.",
      watercolor: "Перерисовывает фото акварелью на фактурной бумаге; лица сохраняют детали.",
      comic: "Превращает фото в печатный комикс: контуры тушью, плоские цвета, точки на фоне.",
      black_and_white_portrait:
        "Классический чёрно-белый портрет: полные тона, спокойный тёмный фон, мелкое зерно.",
      golden_hour: "Заливает фото тёплым светом низкого солнца; цвет кожи остаётся естественным.",
    },
  },
  roles: {
    gemini: { reference: "Картинка-образец", style: "Картинка со стилем" },
    turbotext: { style: "Картинка со стилем", person: "Фото другого человека" },
    local: { background: "Картинка для фона" },
  },
  fields: {
    gemini: {
      any: {
        prompt: {
          title: "Промпт",
          description:
            "Опишите, что сделать с фото. Фото с камеры называйте «картинка 1», шаблоны — «картинка 2» и так далее.",
        },
        model: {
          title: "Модель",
          description: "Название модели, как у Google. Названия не из списка отправляются как есть.",
        },
        aspect_ratio: {
          title: "Соотношение сторон",
          description: "Авто: выбирает модель, обычно как у фото.",
          options: { auto: "Авто" },
        },
        image_size: {
          title: "Размер",
          description: "Авто: собственный размер модели, 1K. Выбор есть не у всех моделей.",
          options: { auto: "Авто" },
        },
        response: {
          title: "Ответ",
          description: "Можно ли модели добавлять слова; их никто не увидит.",
          options: { image: "Только картинка", text_and_image: "Слова и картинка" },
        },
        no_image_repeats: {
          title: "Повторы без картинки",
          description: "Сколько раз переспросить модель, если она ответила без картинки, пока есть время.",
        },
        no_image_pause_seconds: {
          title: "Пауза между повторами, секунды",
          description: "Сколько ждать, прежде чем переспросить модель.",
        },
        max_input_side_px: {
          title: "Длинная сторона при отправке, пиксели",
          description: "Картинки крупнее уменьшаются перед отправкой: так быстрее. 0: отправлять как есть.",
        },
        safety_harassment: safety("травля"),
        safety_hate_speech: safety("вражда"),
        safety_sexually_explicit: safety("откровенное содержание"),
        safety_dangerous_content: safety("опасное содержание"),
      },
    },
    turbotext: {
      any: {
        poll_interval_seconds: {
          title: "Пауза между проверками результата, секунды",
          description: "Чем короче, тем раньше заметен результат и тем чаще запросы к провайдеру.",
        },
      },
      style_transfer: {
        prompt: {
          title: "Описание",
          description: "Дополняет словами картинку, с которой берётся стиль. Может быть пустым.",
        },
      },
      image_edit: {
        prompt: { title: "Промпт", description: "Опишите, что сделать с фото." },
        strength: strength("Насколько результат может отличаться от фото."),
        scale: { title: "Точность", description: "Насколько точно следовать промпту." },
        seed: {
          title: "Зерно",
          description: "Одно и то же число даёт похожие результаты. 0: каждый раз новое.",
        },
        negative_prompt: {
          title: "Негативный промпт",
          description: "Чего не должно быть на картинке, не больше 80 слов.",
        },
        original_language: { title: "Язык промпта", description: "Две буквы, например ru или en." },
      },
      identity_transfer: {
        face_from: {
          title: "Чьё лицо видно",
          description: "Лицо гостя в сцене шаблона или лицо с шаблона у гостя.",
          options: { photo: "Гостя", template: "С шаблона" },
        },
        face_restore: { title: "Улучшить лицо после замены", description: "Чётче черты; дольше." },
      },
    },
    local: {
      background_color: { color: { title: "Цвет", description: "Цвет нового фона." } },
      background_gradient: {
        shape: {
          title: "Форма",
          description: "Прямой или круговой от середины.",
          options: { linear: "Прямой", radial: "Круговой" },
        },
        color_from: { title: "Первый цвет", description: "Где градиент начинается: сверху или в середине." },
        color_middle: { title: "Средний цвет", description: "На полпути; оставьте пустым, если цветов два." },
        color_to: { title: "Последний цвет", description: "Где градиент кончается: снизу или в углах." },
        angle: {
          title: "Угол, градусы",
          description: "Поворот прямого градиента по часовой стрелке; 0 — сверху вниз.",
        },
        vignette: { title: "Виньетка", description: "Насколько темнеют углы, в процентах." },
      },
      background_image: {
        blur: { title: "Размытие", description: "Насколько картинка не в резкости, в процентах." },
        match_light: {
          title: "Подгонка света",
          description: "Насколько яркость и теплота картинки приближаются к свету на людях, в процентах.",
        },
      },
      background_blur: { strength: strength("Насколько фон не в резкости, в процентах.") },
      sticker: {
        outline: {
          title: "Обводка",
          description: "Ширина обводки в процентах от самой широкой; 0 — без неё.",
        },
        outline_color: { title: "Цвет обводки", description: "Каким цветом обвести людей." },
        longest_side: {
          title: "Длинная сторона, пиксели",
          description: "Если стикер длиннее, он уменьшается.",
        },
      },
      pencil: {
        strength: strength("Насколько тёмен карандаш, в процентах."),
        color: {
          title: "Цвет",
          description: "0 — графит; больше — проступают цвета фото, как цветные карандаши.",
        },
      },
      watercolor: { strength: strength("Насколько фото становится живописью, в процентах.") },
      comic: { strength: strength("Сколько туши и насколько плоски цвета, в процентах.") },
      black_and_white_portrait: {
        strength: strength("Насколько контрастно и насколько тёмен фон, в процентах."),
      },
      golden_hour: {
        strength: strength("Насколько тепло и сильно сияние, в процентах."),
        sun: {
          title: "Солнце",
          description: "С какой стороны падает свет.",
          options: { left: "Слева", right: "Справа" },
        },
      },
    },
  },
};
