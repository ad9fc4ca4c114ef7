# ruff: noqa: RUF001  letters of other scripts
"""Words that say nothing about what a text is about, in twenty languages: they are no keywords."""

from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from openflywheel.curate._tokens import tokens

# Articles, pronouns, prepositions, conjunctions, auxiliaries and the commonest adverbs of three letters and
# more (shorter words are no keywords anyway), written down for this file.
WORDS = """
the and for are was were been being has have had having does did doing not but you your yours him his her
hers she they them their theirs its our ours who whom whose which what when where why how this that these
those there here with without within from into onto upon over under about above below between through during
before after again further then than once only own same such too very can cannot could may might must shall
should will would all any both each few more most other others some one two also just because while until
unless although though however therefore thus hence since still yet ever never always often use used uses
using see get gets make makes made many much well even like example following way per via etc let new first
last next set out off don't doesn't isn't aren't wasn't won't can't it's i'm you're they're we're that's
there's
der die das den dem des ein eine einen einem einer eines und oder aber denn weil dass wenn als wie auch nur
noch schon sehr nicht kein keine keinen ich wir ihr sie uns euch mich dich sich mein dein sein seine seiner
ihre ihrer unser ist sind war waren wird werden wurde wurden worden haben hat hatte hatten kann können
konnte muss müssen soll sollen will wollen für mit ohne von vom zum zur aus bei nach vor über unter zwischen
durch gegen bis seit während hier dort dann also doch man was wer wo welche welcher welches diese dieser
dieses diesem diesen jede jeder jedes alle allem allen andere anderen mehr immer wieder beim ins
les des une aux est sont été être avoir ont avait cette ces cet son ses leur leurs notre nos votre vos mon
mes ton tes elle elles ils nous vous lui eux moi toi qui que quoi dont où quand comment pour par sur sous
dans avec sans entre vers chez depuis pendant avant après mais donc car comme aussi plus moins très bien
même tout tous toute toutes autre autres pas ici encore alors ainsi peut doit fait faire était
los las una unos unas del que quien cual como cuando donde por para con sin sobre entre hasta desde hacia
este esta estos estas ese esa esos esas aquel sus mis tus nuestro nuestra pero sino porque aunque también
más menos muy bien todo todos toda todas otro otra otros otras ser son fue era han hay está están estar
tiene puede hacer cada nos les ella ellos ellas usted ustedes
gli uno una del dello della dei degli delle dal dalla nel nella sul sulla con per tra fra che chi cui come
quando dove perché anche più meno molto bene tutto tutti tutta tutte altro altra altri altre questo questa
questi queste quello quella sono sei siamo era erano stato essere avere hanno può suo sua suoi loro nostro
vostro non
uma uns umas dos das nos nas pelo pela pelos pelas com sem por para sobre entre até desde que quem qual como
quando onde mas porque também mais menos muito bem todo todos toda todas outro outra outros outras este esta
estes estas esse essa isso isto aquele são ser foi era tem têm está estão pode seu sua seus suas não ele ela
eles elas você vocês nosso nossa
het een van voor met zonder naar bij uit door over onder tussen tegen tot sinds maar want omdat als dan dat
die deze dit wat wie waar hoe ook nog wel niet geen meer minder zeer veel alle alles ander andere zijn was
waren wordt worden werd hebben heeft had kan kunnen moet moeten zal zullen hij zij wij jullie hun haar ons
onze mijn jouw uw
och att det den som för med utan från till över under mellan genom mot men eller när där hur vad vem vilken
denna detta dessa inte ingen inget mer mindre mycket alla allt annan andra är var varit blir blev har hade
kan kunde ska skulle han hon jag dig mig sig vår våra min din sin ett också bara efter
og at det den som for med uden fra til over under mellem gennem mod men eller når hvor hvordan hvad hvem
denne dette disse ikke ingen intet mere mindre meget alle alt anden andre var været bliver blev har havde
kan kunne skal skulle han hun jeg dig mig sig vores min din sin også kun efter ved
ikke eller når hvor hvordan hva hvem denne dette disse ingen mer mindre mye alle alt annen andre være vært
blir ble hadde kunne skal skulle han hun jeg deg meg seg vår våre også bare etter ved mellom gjennom
että joka jotka mikä mitä kun kuin niin myös mutta tai sekä ovat oli olivat olla ole sen sitä tämä tämän
nämä hän hänen minä sinä ettei vain vielä jos kuten
nie jest są był była było być ten tego tej ten które który która jak gdzie kiedy dla bez nad pod przez przed
między oraz ale lub albo czy się już tylko także bardzo wszystkie inne może można jego jej ich nas was
není jsou byl byla bylo být ten tato toto které který která jak kde když pro bez nad pod přes před mezi nebo
ale také jen již velmi všechny jeho její jejich
что как это все она они его ему нее них был была было были быть есть для без над под при про через между или
если когда где кто чем так уже еще только также очень можно нет этот эта эти того той тех который которая
которые свой наш ваш мой
що цей ця все вона вони його був була було були бути для без над під при про через між або якщо коли хто чим
так вже ще тільки також дуже можна немає який яка які свій наш ваш
bir bu şu için ile gibi kadar daha çok ama veya ancak çünkü nasıl neden nerede kim her tüm bazı değil olan
olarak oldu olduğu ise sonra önce ben sen biz siz onlar
hogy egy ezt azt ezek azok nem van volt vannak lesz lehet meg csak még már mint vagy ami aki amely ahol mert
minden más nagyon után előtt
este sunt era fost avea care cum când unde pentru fără prin între din dar sau deci mai foarte toate alte
acest această aceste lui lor ale
και του της των τον την στο στη στην για από που είναι ήταν δεν θα να με ή αλλά όταν όπως ένα μια αυτό αυτή
من في على إلى عن مع هذا هذه ذلك التي الذي كان كانت أن إن لا ما لم لن هو هي هم كل أو ثم قد بعد قبل بين
"""


@cache
def stopwords() -> NDArray[np.uint64]:
    """Hashes of the words (see curate/_tokens.py), in their order."""
    return np.unique(tokens(pa.array([WORDS])).hashes)
