/**
 * Words for what providers offer: by provider, then operation (`any`: all of its operations), then field of its settings.
 * Where there are none the page shows those of the provider's own schema.
 */
const strength = (description: string) => ({ title: "Strength", description });

const safetyLevels = {
  default: "As the provider has it",
  BLOCK_LOW_AND_ABOVE: "Strict: block even if unlikely",
  BLOCK_MEDIUM_AND_ABOVE: "Medium",
  BLOCK_ONLY_HIGH: "Loose: block only if very likely",
  BLOCK_NONE: "Block nothing",
  OFF: "Filter off",
};

const safety = (what: string) => ({
  title: `Safety: ${what}`,
  description: "How likely such content must be to be blocked. Blocking of pictures themselves stays on.",
  options: safetyLevels,
});

export const operations = {
  providers: { gemini: "Google Gemini", turbotext: "Turbotext", local: "On this machine" },
  operations: {
    gemini: { image_edit: "Edit by prompt", style_transfer: "Style of a picture" },
    turbotext: {
      style_transfer: "Style of a picture",
      image_edit: "Edit by prompt",
      identity_transfer: "Swap faces",
    },
    local: {
      background_color: "Background colour",
      background_gradient: "Background gradient",
      background_image: "Background picture",
      background_blur: "Background blur",
      sticker: "Sticker",
      pencil: "Pencil drawing",
      watercolor: "Watercolour",
      comic: "Comic",
      black_and_white_portrait: "Black-and-white portrait",
      golden_hour: "Golden hour",
    },
  },
  summaries: {
    local: {
      background_color: "Puts one even colour behind the people.",
      background_gradient: "Puts a smooth gradient behind the people, like a studio backdrop.",
      background_image: "Puts a template picture behind the people. It fills the frame and is cut evenly.",
      background_blur:
        "Throws the background out of focus as a fast portrait lens does; the people stay sharp.",
      sticker: "Cuts the people out with an outline around them, on a transparent background.",
      pencil: "Redraws the photo in graphite on paper; the surroundings are only hinted at.",
      watercolor: "Repaints the photo in watercolour on grained paper; faces keep their detail.",
      comic: "Turns the photo into a printed comic: ink lines, flat colours, dots in the background.",
      black_and_white_portrait:
        "A classic black-and-white portrait: full tones, a calm darker background, fine grain.",
      golden_hour: "Bathes the photo in the warm light of a low sun; skin tones stay natural.",
    },
  },
  roles: {
    gemini: { reference: "Reference picture", style: "Picture with the style" },
    turbotext: { style: "Picture with the style", person: "Picture of the other person" },
    local: { background: "Background picture" },
  },
  fields: {
    gemini: {
      any: {
        prompt: {
          title: "Prompt",
          description:
            "Say what to do with the photo. Call the camera's photo “picture 1”, template images “picture 2” and so on.",
        },
        model: {
          title: "Model",
          description:
            "A model's name as Google lists it. Names that are not in the list are sent as they are.",
        },
        aspect_ratio: {
          title: "Aspect ratio",
          description: "Auto: the model picks, mostly that of the photo.",
          options: { auto: "Auto" },
        },
        image_size: {
          title: "Size",
          description: "Auto: the model's own, 1K. Not every model has the choice.",
          options: { auto: "Auto" },
        },
        response: {
          title: "Answer",
          description: "Whether the model may add words; nobody is shown them.",
          options: { image: "Picture only", text_and_image: "Words and picture" },
        },
        no_image_repeats: {
          title: "Repeats without a picture",
          description:
            "How often the model is asked again when it answers without a picture, as long as time is left.",
        },
        no_image_pause_seconds: {
          title: "Pause between repeats, seconds",
          description: "How long to wait before the model is asked again.",
        },
        max_input_side_px: {
          title: "Longest side sent, pixels",
          description:
            "Larger pictures are made smaller before they are sent, which saves time. 0: sent as they are.",
        },
        safety_harassment: safety("harassment"),
        safety_hate_speech: safety("hate speech"),
        safety_sexually_explicit: safety("sexually explicit"),
        safety_dangerous_content: safety("dangerous content"),
      },
    },
    turbotext: {
      any: {
        poll_interval_seconds: {
          title: "Pause between looks for the result, seconds",
          description: "Shorter notices the result sooner and asks the provider more often.",
        },
      },
      style_transfer: {
        prompt: {
          title: "Description",
          description: "Adds words to the picture whose style is taken. May stay empty.",
        },
      },
      image_edit: {
        prompt: { title: "Prompt", description: "Say what to do with the photo." },
        strength: strength("How far from the photo the result may be."),
        scale: { title: "Scale", description: "How closely the prompt is followed." },
        seed: {
          title: "Seed",
          description: "The same number gives similar results. 0: another one for each photo.",
        },
        negative_prompt: {
          title: "Negative prompt",
          description: "What must not be in the picture, in at most 80 words.",
        },
        original_language: { title: "Language of the prompt", description: "Two letters, such as ru or en." },
      },
      identity_transfer: {
        face_from: {
          title: "Whose face is seen",
          description: "The guest's face in the template's scene, or the template's face on the guest.",
          options: { photo: "The guest's", template: "The template's" },
        },
        face_restore: { title: "Repair the face afterwards", description: "Sharper features; takes longer." },
      },
    },
    local: {
      background_color: { color: { title: "Colour", description: "Colour of the new background." } },
      background_gradient: {
        shape: {
          title: "Shape",
          description: "Straight across, or round from the middle.",
          options: { linear: "Linear", radial: "Radial" },
        },
        color_from: { title: "First colour", description: "Where the gradient begins: top, or the middle." },
        color_middle: { title: "Middle colour", description: "Halfway; leave empty for two colours." },
        color_to: { title: "Last colour", description: "Where the gradient ends: bottom, or the corners." },
        angle: {
          title: "Angle, degrees",
          description: "How far a linear gradient is turned clockwise; 0 runs from top to bottom.",
        },
        vignette: { title: "Vignette", description: "How much the corners darken, in percent." },
      },
      background_image: {
        blur: { title: "Blur", description: "How far out of focus the picture is, in percent." },
        match_light: {
          title: "Match light",
          description: "How far the picture's brightness and warmth move towards the people's, in percent.",
        },
      },
      background_blur: { strength: strength("How far out of focus, in percent.") },
      sticker: {
        outline: {
          title: "Outline",
          description: "Width of the outline in percent of the widest; 0 for none.",
        },
        outline_color: { title: "Outline colour", description: "Colour of the outline." },
        longest_side: {
          title: "Longest side, pixels",
          description: "The sticker is made smaller when it is longer than this.",
        },
      },
      pencil: {
        strength: strength("How dark the pencil is, in percent."),
        color: {
          title: "Colour",
          description: "0 is graphite; more lets the photo's colours through as coloured pencils.",
        },
      },
      watercolor: { strength: strength("How far the photo turns into paint, in percent.") },
      comic: { strength: strength("How much ink and how flat the colours, in percent.") },
      black_and_white_portrait: {
        strength: strength("How contrasty, and how dark the background, in percent."),
      },
      golden_hour: {
        strength: strength("How warm and how glowing, in percent."),
        sun: {
          title: "Sun",
          description: "The side the light comes from.",
          options: { left: "Left", right: "Right" },
        },
      },
    },
  },
};
