"""Words that are hardly ever used except to hurt, or in pornography; in small letters, with their forms.

Not in the lists are words with another meaning in everyday life, in medicine or in another of the languages
("slut" is Swedish for an end), and mild oaths: counting those drops health advice, news and fiction first
(Dodge et al. 2021, arXiv:2104.08758, on the list of C4). Languages that are not here go unseen.
"""
# ruff: noqa: RUF001  letters of other scripts look like Latin ones

TOXIC = """
asshole, assholes, bitch, bitches, cunt, cunts, dickhead, dickheads, douchebag, faggot, faggots, fuck,
fucked, fucker, fuckers, fucking, fucks, fuckin, kike, kikes, motherfucker, motherfuckers, motherfucking,
nigga, niggas, nigger, niggers, paki, pakis, scumbag, scumbags, shithead, shitheads, spic, spics,
subhuman, subhumans, tranny, trannies, twat, twats, wanker, wankers, whore, whores, wetback, wetbacks,
raghead, ragheads, towelhead, gook, gooks, kill yourself, drop dead, piece of shit, shut the fuck up,
son of a bitch, arschloch, arschlöcher, fotze, fotzen, hurensohn, hurensöhne, missgeburt, missgeburten,
schlampe, schlampen, schwuchtel, schwuchteln, untermensch, untermenschen, wichser, kanake, kanaken,
neger, fick dich, bring dich um, connard, connards, connasse, enculé, enculés, salope, salopes, pute,
putes, fils de pute, bougnoule, bougnoules, youpin, youpins, négro, négros, nique ta mère, ta gueule,
pédé, pédés, cabrón, cabrones, gilipollas, hijo de puta, hijos de puta, malparido, maricón, maricones,
pendejo, pendejos, puta, putas, sudaca, sudacas, vete a la mierda, mátate, coglione, coglioni, stronzo,
stronzi, stronza, puttana, puttane, frocio, froci, vaffanculo, figlio di puttana, negro di merda,
ammazzati, arrombado, arrombados, viado, viados, filho da puta, filhos da puta, vai se foder, vagabunda,
vagabundas, klootzak, klootzakken, kutwijf, hoer, hoeren, flikker, flikkers, kankerlijer, rot op, chuj,
chuje, chuja, jebany, jebana, jebać, kurwa, kurwy, kurwo, pedał, pedały, skurwiel, skurwysyn, skurwysyny,
pizda, spierdalaj, блядь, бляди, гандон, долбоёб, долбоеб, ебанутый, ебать, жид, жиды, мразь, мудак,
мудаки, пидор, пидоры, пидорас, сука, суки, уебок, хуй, хуйло, чурка, чурки, шлюха, шлюхи, иди на хуй,
сдохни, убей себя, підор, підори, курва, курви, йди на хуй, amına koyayım, orospu, orospular,
orospu çocuğu, siktir, ibne, ibneler, yavşak, gebersin, bhenchod, madarchod, chutiya, भेनचोद, मादरचोद,
चूतिया, रंडी, हरामी, شرموطة, عاهرة, ابن الكلب, كس امك, قحبة, منيوك, 傻逼, 操你妈, 婊子, 贱人, 去死,
草泥马, 死ね, くたばれ, ぶっ殺す, 개새끼, 씨발, 병신, 씨발놈, 뒈져라
"""

ADULT = """
anal sex, big tits, blowjob, blowjobs, bukkake, busty, camgirl, camgirls, creampie, creampies, cumshot,
cumshots, deepthroat, dildo, dildos, doggystyle, fisting, footjob, gangbang, gangbangs, gloryhole,
handjob, handjobs, hardcore porn, hentai, hot girls, hotwife, jerk off, jizz, live sex, milf, milfs,
naked girls, nude girls, orgy, orgies, porn, porno, pornhub, pornstar, pornstars, pussy, pussies, rimjob,
sex cam, sex cams, sex chat, sex tape, sex toys, sex video, sex videos, sexcam, sexy babes, shemale,
shemales, strip tease, striptease, teen porn, threesome, threesomes, upskirt, webcam girls, xhamster,
xnxx, xvideos, xxx, escort girls, titten, fickfilme, ficken, sexfilme, sexcams, pornofilme, sexkontakte,
baise, branlette, chatte poilue, gros seins, plan cul, film porno, vidéos porno, follando, follar,
mamada, mamadas, tetas, videos porno, porno gratis, chicas desnudas, pompino, pompini, tette,
video porno, buceta, bucetas, boquete, boquetes, punheta, putaria, gostosa nua, vídeos pornô, pornô,
neuken, pijpen, kutje, sexfilms, cipka, cipki, cycki, ruchanie, filmy porno, darmowe porno, порно,
порнуха, секс видео, трах, трахает, трахаются, минет, сиськи, шлюхи онлайн, голые девушки, porno izle,
sikiş, sikis, amcık, türk porno, सेक्स वीडियो, चुदाई, سكس, افلام سكس, 色情, 裸聊, 黄片, 成人电影, 無碼,
无码, 口交, 乳交, 性爱视频, アダルト動画, 無修正, 巨乳, 中出し, フェラチオ, 야동, 섹스
"""
