"""What `flywheel init` writes."""

SETTINGS = """\
# One AI data flywheel. Each room has a table, in the order of the loop: plugins with their settings.
#   flywheel plugins                           what each room offers
#   flywheel schema > flywheel.schema.json     lets an editor check and complete this file
# A secret never stands here: write ${NAME}, and the environment variable NAME is read instead.
name: my-flywheel
store: wheel                     # a folder beside this file

tasks:                           # what the product asks of AI
  route:                         # which team should a message go to?
    kind: label                  # the labels are those of the seeds, and those that people add
    # What each costs, in one currency: a call of the model, a wrong answer, an answer by a person.
    costs: {call: 0.002, error: 6.00, person: 4.00}

collect:                         # Gap -> Record: fetch what we lack; each source names its legal basis
  files: {path: seeds.jsonl, basis: no_personal_data}   # the cold start: examples that you have labelled
  experts: {}                    # ask people who know: flywheel label
  traffic: {basis: contract}     # own conversations, once somebody has said what was right

curate:                          # Record -> Dataset: clean, then freeze a version
  - extract                      # documents to Markdown: pages, PDF, Office, mail
  - normalise                    # Unicode and white space
  - language                     # marks it; keep: [en] drops the others
  - quality: {rules: [gopher, repetition]}   # of documents: messages and examples are left alone
  - redact                       # what the guards below forbid
  - length: {least: 2, most: 100000}
  - dedupe                       # the same text and label
  - near_duplicates              # nearly the same wording
  - enrich                       # section, keywords, first seen

customize:                       # Dataset -> Model: teach a candidate
  head: {}                       # a classifier on sentence vectors: seconds on a laptop

evaluate:                        # Model -> Verdict: is it good enough?
  accuracy: {}                   # candidate against champion on the same sealed holdout

guard:                           # Model -> Verdict: is it allowed? Also stands before every question
  pii: {}                        # personal data
  secrets: {}                    # keys and passwords

serve:                           # Verdict -> Exchange: promote what passed; answer
  cascade: {}                    # unsure: hand over to a person, by the costs above
  gateway: {port: 8300}          # flywheel serve: OpenAI's and Anthropic's APIs over HTTP
  # providers: {openai: {url: https://api.openai.com/v1, key: "${OPENAI_API_KEY}"}}

signals:                         # Exchange -> Signal: hear how it went, beside what people say outright
  uncertainty: {}                # the model's own doubt
  rephrase: {within: 120}        # seconds: who asks again in other words was not helped
  escalation: {}                 # handed to a person, or a person was asked for
  accept: {}                     # the answer was taken over
  edited: {}                     # how much of the answer was left in what was sent
  abandonment: {}                # left without being helped

study:                           # Signal -> Gap: see what is missing; back to collect
  taught: {}                     # what people have corrected
  active: {}                     # what experts should be asked
  audit: {}                      # draw the sealed holdout

velocity:                        # Step -> Reading: how well does the wheel itself turn?
  bottleneck: {}
  signal_validity: {}            # a derived signal without evidence weighs nothing

wheel:
  turn_when: {signals: 50, or_after: 1h}   # what `flywheel spin` waits for
  budget: {labels: 30, holdout: 20}        # questions that a turn may ask experts: to learn, to judge
  holdout: {share: 0.05}                   # of people: their messages judge, and never teach
"""

EXAMPLES = {
    "delivery": (
        "where is my parcel?",
        "my order has not arrived yet",
        "when will the package be delivered?",
        "the courier left it at the wrong address",
    ),
    "returns": (
        "I want to send this back",
        "how do I return a lamp that is too big?",
        "can I exchange it for another size?",
        "the chair came broken, I'd like my money back",
    ),
    "billing": (
        "I was charged twice",
        "please send me the invoice",
        "which cards do you accept?",
        "my payment was declined",
    ),
    "account": (
        "I forgot my password",
        "how can I change my e-mail address?",
        "delete my account, please",
        "I can't log in any more",
    ),
}

SEEDS = "".join(
    f'{{"text": "{text}", "label": "{label}"}}\n' for label, texts in EXAMPLES.items() for text in texts
)
