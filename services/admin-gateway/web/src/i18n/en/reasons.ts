/** Why a job has no picture of the provider's, in words an admin can act on; one entry for each failure of a job. */
export const reasons = {
  timeout: {
    title: "Out of time",
    meaning: "No picture came within the slot's response time. The camera was answered 504.",
    todo: "If it happens often, give the slot more time, choose a faster operation or smaller pictures, or let late results be kept.",
  },
  provider_5xx: {
    title: "The provider broke",
    meaning: "The provider answered that it is broken or overloaded.",
    todo: "Usually it passes by itself: run the photo again in a few minutes. If it stays, look at the provider's status page or point the slot at another provider.",
  },
  bad_response: {
    title: "Unusable answer",
    meaning: "The provider's answer is no picture, a blank one, or the photo unchanged.",
    todo: "Run the photo again. If it happens often, make the prompt clearer or choose another model.",
  },
  quota: {
    title: "Quota used up",
    meaning:
      "The provider's quota or the account's money is used up, or none of its places came free in time.",
    todo: "Check the account with the provider: balance, plan and limits per minute. Then run the photo again.",
  },
  network: {
    title: "Provider out of reach",
    meaning:
      "The provider could not be reached, is left alone after several failures, or the work was lost on its way.",
    todo: "Check the internet connection and the provider's health in the settings, then run the photo again.",
  },
  content_blocked: {
    title: "Refused by the provider's rules",
    meaning: "The provider's safety rules refuse this photo or this prompt.",
    todo: "Soften the prompt: no weapons, brands, famous people or revealing clothes. If it is the photo, take another one.",
  },
  no_image: {
    title: "No picture in the answer",
    meaning: "The provider answered properly, but without a picture, each time it was asked.",
    todo: "Say in the prompt that an image is wanted and describe it; then try it in the slot's test run.",
  },
  bad_input: {
    title: "The photo does not fit",
    meaning: "The provider cannot work with this photo: nobody in it, no face, or it is unreadable.",
    todo: "Look at the photo. Take it again with faces well lit and in the frame, or choose an operation that needs none.",
  },
  auth: {
    title: "API key refused",
    meaning: "The provider's API key is missing, wrong or lacks rights.",
    todo: "Set a valid key in the settings. The next photo uses it.",
  },
  config: {
    title: "The slot's settings do not fit",
    meaning:
      "The provider cannot do what the slot asks of it: an option, a template or the operation does not fit.",
    todo: "Open the slot, correct the marked fields and try a test run.",
  },
  storage: {
    title: "Could not be stored",
    meaning: "The picture was made or awaited, but our storage was away.",
    todo: "Ask whoever runs the platform to look at the storage, then run the photo again.",
  },
  cancelled: {
    title: "Cancelled",
    meaning: "The job was stopped before it had a picture.",
    todo: "Run the photo again if you still want it.",
  },
  internal: {
    title: "Our fault",
    meaning: "Something went wrong inside the platform.",
    todo: "Run the photo again. If it fails again, send the job's id to whoever runs the platform: the log knows more.",
  },
  unknown: {
    title: "Unknown failure",
    meaning: "The platform gave a reason this page does not know yet: {{reason}}.",
    todo: "Run the photo again. If it fails again, send the job's id to whoever runs the platform.",
  },
  whatToDo: "What to do",
  toSettings: "Open settings",
  toSlot: "Open the slot",
  inItsWords: "As the platform said it",
};
