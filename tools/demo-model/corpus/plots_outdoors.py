"""Plots out of doors: things stuck in trees, lost animals, storms, journeys, streams to cross, hurt birds, snow."""
from .plot import Alt, plot, thing_of
from .world import BIRDS, FLYERS, STRAYS, TREATS, WEAR


def stray(rng, slots):
    kind = rng.choice([k for k in STRAYS if k != slots["h"]["noun"]])
    sound, food, home = STRAYS[kind]
    look = rng.choice(["tiny", "little", "lost", "wet", "frightened", "muddy", "shivering"])
    he = rng.choice(["he", "she"])
    return {"": kind, "noun": kind, "a": f"a {look} {kind}", "the": f"the little {kind}", "sound": sound, "food": food, "home": home,
            "he": he, "him": {"he": "him", "she": "her"}[he], "his": {"he": "his", "she": "her"}[he]}


plot("{o.a} stuck in a tree", "help",
     ["One {weather} {daypart}, {h} went {p.to} with {h.his} {o}. {h.He} [ran and laughed|threw it high|let it fly], and the wind [joined in|helped].",
      "It was a {weather} {daypart}, just right for playing with {o.a}. {h} took {o.the} {p.to}.",
      "{h} had a new {o}, and {h.he} could not wait to try it out {p.at}."],
     ["Suddenly a strong wind came. It [pulled|tore] {o.the} out of {h.his} hands and carried it up, up, up, into the top of a tall tree.",
      "But {h} was not careful. {o.it} flew [too high|much too far] and got stuck in [a tall tree|the branches of an old tree]. \"Oh no!\" {h.he} cried."],
     ["{h} jumped as high as {h.he} could. {h.He} threw [sticks|a shoe] at it. {h.He} shook the tree with both hands. Nothing helped.",
      "First {h} tried to climb, but the [trunk|bark] was too smooth. Then {h.he} tried a long stick, but the stick was too short."],
     ["{f} came along the path. \"[Why do you look so {sad}|What has happened]?\" {f.he} asked. {h} pointed up. {f} looked at the tree, and then at the ground, and then at the tree again. \"[I have an idea|I know what to do],\" {f.he} said.",
      "\"Do you need help?\" somebody asked. It was {f}, {f.a} who [lived nearby|came here often]. {h} did not like to ask for help, but {h.he} nodded. \"Yes, please,\" {h.he} said."],
     Alt([["{f} brought a long rope. They tied a stone to it and threw it over the branch. Then they [pulled|shook] together. \"One, two, three!\""],
          ["{o.the} [wobbled|moved] and slid, and then it fell [softly|right] into {h}'s arms.", "The branch bent down, lower and lower, until {h} could reach {o.the}."]],
         [["{f} stood against the tree. \"Climb on my shoulders,\" {f.he} said. {h} climbed up and stretched {h.his} arm as far as {h.he} could."],
          ["{h.His} fingers touched {o.it}. A little more. [There|Done]! {h.He} had it.", "\"A bit to the left,\" said {f}. And then {h} had {o.it} in {h.his} hand."]],
         [["{f} whistled, and down came a friendly [squirrel|crow|robin]. \"Please, will you help us?\" asked {f}. The little animal hopped from branch to branch until it reached {o.the}."],
          ["It gave {o.the} a push, and {o.it} came down like a leaf. \"Thank you!\" called {h} and {f}.", "It pulled and pulled, and at last {o.the} was free and floated down."]]),
     ["{h} was {happy}. \"Would you like to play with me?\" {h.he} asked. {f} did, and they played {p.at} [until it was dark|all afternoon|until they were hungry].",
      "\"Next time I will ask for help sooner,\" said {h}. \"[And I will come|You can always ask me],\" said {f}."],
     cast="hf", p="place", o=thing_of(FLYERS))

plot("a lost {s}", "kindness",
     ["One {weather} {daypart}, {h} was walking home from {p} when {h.he} heard a soft {s.sound}. {h.He} looked [around|behind a bush]. There sat {s.a}.",
      "{h} was playing {p.at} when {h.he} saw something move in the [grass|bushes]. It was {s.a}, all alone.",
      "On the way {p.to}, {h} found {s.a} [under a bush|beside the path|behind a stone]. It was too young to be alone."],
     ["\"Where is your mother?\" {h} asked [gently|softly]. The {s} only looked at {h.him} with big eyes. {h} gave {s.him} {s.food} and wrapped {s.him} in {h.his} [coat|scarf|blanket].",
      "The {s} was [cold|hungry|shaking]. {h} sat down very slowly and held out {s.food}. After a while, {s.the} came closer and began to eat."],
     ["{h} would have loved to keep {s.him}. {h.He} could already see {s.him} sleeping next to {h.his} bed. \"But somewhere a mother is looking for you,\" {h.he} said.",
      "\"May I keep {s.him}?\" {h} asked {e}. \"[Think about it|What do you think]: would you like to live without your family?\" asked {e}. {h} shook {h.his} head."],
     ["So {h} and {f} went from door to door. \"Is this your {s}?\" they asked. The {worker} said no. The {worker2} said no. \"Try {s.home},\" said [the old woman at the well|a boy with a cart|the last one].",
      "{h} looked at the ground and saw small footprints. \"We can follow them back,\" {h.he} told {f}. The tracks went [over a bridge|through a hedge|across a field] and all the way to {s.home}."],
     ["When they came to {s.home}, they heard a call. {s.the} [lifted {s.his} head|began to wriggle] and answered. And there was {s.his} mother, running as fast as she could!",
      "At {s.home}, a big [worried|tired] mother was looking everywhere. When she saw {s.the}, she [made a happy sound|jumped for joy]. The two of them [pressed their noses together|curled up close]."],
     ["{h} felt a little sad and very {happy} at the same time. After that, {h.he} often went to {s.home} to visit, and {s.the} always came [running|to say hello].",
      "\"You did the right thing,\" said {e} that night. {h} [smiled|nodded] and thought of the {s}, who was warm and safe."],
     cast="hfe", p="place", s=stray, worker=["baker", "miller", "teacher", "postman"], worker2=["farmer", "tailor", "gardener", "shepherd"])

plot("a big storm", "together",
     ["All day the sky had been [grey|dark]. In the evening, a [big|terrible|great] storm came over {p}. The wind [howled|roared], and the rain fell like [stones|ropes].",
      "\"A storm is coming,\" said {e}, and {e.he} closed the windows. Soon there was thunder, [boom, boom|near and loud], and the trees bent low."],
     ["{h} sat close to {e} and listened. Every time the thunder came, {h.he} [held {e.his} hand|jumped]. \"It is only noise,\" said {e}. \"Let us count until it is over.\"",
      "{h} looked out and saw a small light. It was {f}, standing in the rain! \"Our roof is broken,\" {f} called. \"May I come in?\" \"Of course,\" said {h}, and {h.he} opened the door wide."],
     ["In the morning, the storm was gone. But [the fence|the bridge|the big tree] had fallen down, and {f}'s home had a hole in the roof. {f} stood in front of it and did not know where to begin.",
      "When the sun came up, everyone came out to look. There were branches everywhere. The worst of all was {f}'s home: the wind had taken half of the roof."],
     ["\"We will help you,\" said {h}. {h.He} went to everybody {h.he} knew. The {worker} brought wood, the {worker2} brought nails, and {e} brought a big pot of soup.",
      "{h} had an idea. {h.He} rang the bell in the village until everyone came. \"If each of us does a little,\" {h.he} said, \"then it will be done by tonight.\""],
     ["They hammered and carried and swept. {h} handed up the nails, one by one. Nobody [stopped|rested] until the last board was in its place.",
      "Some worked on the roof, some cleared the path, and some cooked. They sang while they worked, and so the hours went by [quickly|like minutes]."],
     ["That night it rained again. But now it was warm and dry inside, and {f} fell asleep with a smile.",
      "\"How can I thank you all?\" asked {f}. \"You already have,\" said {h}. \"[You would have done the same|That is what neighbours do].\" And they were {happy}."],
     cast="hfe", p="place", worker=["carpenter", "baker", "miller", "teacher"], worker2=["farmer", "blacksmith", "gardener", "shepherd"])

plot("{h.a} who got lost", "listening",
     ["\"Stay on the path,\" {e} always said. \"And if you ever get lost, [stay calm and listen|remember the {sign}].\" {h} nodded, but {h.he} was only half listening.",
      "Before {h} went out, {e} told {h.him}, \"Do not go too far. And do not forget the {sign}: [it can show you the way home|you can always find home by it].\""],
     ["{p.At}, {h} saw a [blue|golden|bright] butterfly. It was so beautiful that {h.he} followed it, [left and right|over stones and roots], farther and farther.",
      "{h} wanted to find the [biggest|reddest] {treat} of all. {h.He} walked a bit farther, and then a bit farther still.",
      "{h} saw {p.see} and heard {p.hear}, and {h.he} forgot the time. {h.He} walked [on and on|deeper and deeper]."],
     ["When {h.he} looked up, nothing looked the same. \"Where am I?\" {h.he} whispered. [The shadows grew long|The sun was going down].",
      "Suddenly {h} stopped. The path was gone. {h.He} turned [around and around|in a circle], but every way looked the same. {h.His} lip began to shake."],
     ["{h} ran one way, and then the other. Then {h.he} sat down [on a stone|on a log] and cried. \"What did {e.call} tell me?\" {h.he} thought. And then {h.he} remembered the {sign}.",
      "First {h} wanted to run. But then {h.he} heard the words of {e} in {h.his} head. {h.He} took [three slow breaths|a deep breath] and thought of the {sign}."],
     ["{h.He} became very quiet. And there it was, far away: the {sign}! {h} followed it, step by step. [It took a long time|The night was cold], but {h.he} did not stop.",
      "On the way {h.he} met {f}, {f.a}. \"Are you looking for the {sign}?\" asked {f}. \"[I know where it is|It is that way]. I will walk with you.\" And so they went on together."],
     ["At last {h} saw the light in the window. {e} came running. \"There you are!\" {e.he} said, and {e.he} held {h.him} tight. \"I listened to you in the end,\" said {h}.",
      "Soon {h} was home. {e} gave {h.him} [hot soup|warm milk] and a blanket. \"I will listen better from now on,\" {h} said. And {h.he} meant it."],
     cast="hfe", p="place", treat=["apple", "berry", "flower", "leaf"],
     sign=["sound of the river", "bell of the tower", "north star", "white stones", "smoke from the chimney", "tall oak on the hill"])

plot("a bridge over the stream", "together",
     ["{h} and {f} wanted to go to the other side of the stream, because [the best {treats}|the sweetest {treats}|so many {treats}] grew there. But the water was [deep|fast|cold].",
      "Every day {h} looked across the stream. On the other side grew the finest {treats}. \"If only we could get there!\" {h.he} said to {f}."],
     ["{h} tried to jump. Splash! {h.He} landed in the water. {f} pulled {h.him} out, and both of them [were wet|laughed].",
      "{f} tried to cross on a floating log. The log [rolled|turned over], and {f} sat in the water up to {f.his} [neck|ears]."],
     ["\"I am [strong|fast], but that is not enough,\" said {h}. \"And I am [clever|careful], but that is not enough either,\" said {f}. \"But what if we do it together?\"",
      "They sat on the bank and thought. \"What we need is a bridge,\" said {h} at last. \"But that is too much work for two.\" \"Then we will ask the others,\" said {f}."],
     ["The {animal} carried the wood. The {animal2} dug the holes. {f} tied the ropes, and {h} put one plank next to the other. For three days they [worked from morning to night|did nothing else].",
      "{h} found long branches, {f} brought strong rope, and a {animal} and a {animal2} came to help. They pushed and pulled and tied and tested."],
     ["Then the bridge was ready. {h} put one foot on it. It [creaked|shook a little], but it was strong. \"[Come on|Hurray]!\" {h.he} shouted, and they all walked across.",
      "At last they stood on the other side. They picked {treats} until their baskets were full, and they shared everything [fairly|between them]."],
     ["The bridge is still there today. And everyone who walks over it [knows|remembers] that {h} and {f} did not build it alone.",
      "\"Alone I only got wet feet,\" said {h}, and everybody laughed. They were {happy}."],
     cast="hf", treats=TREATS, animal=["badger", "goat", "pony"], animal2=["mole", "beaver", "hedgehog"])

plot("a {b} with a hurt wing", "letting go",
     ["After a windy night, {h} found a {b} [on the grass|under the window|beside the path]. One of its wings was hurt, and it could not fly.",
      "One {weather} {daypart}, {h} heard a weak chirp. A little {b} lay {p.at}. Its wing was [bent|hurt]."],
     ["{h} carried it home in {h.his} hands, as if it were made of glass. {e} helped {h.him} to [put a small bandage on the wing|make a nest in a box].",
      "\"Do not be afraid,\" {h} said. {h.He} put the bird in a basket with [soft wool|a warm cloth], and {e} showed {h.him} how to tie up the wing."],
     ["Every day, {h} gave the {b} water and seeds. {h.He} told it about {p}. Bit by bit, the bird became stronger. Soon it [sat on {h.his} shoulder|ate from {h.his} hand].",
      "The {b} liked {h}. It sang when {h.he} came into the room. [Weeks passed|A whole month went by], and the wing healed."],
     ["One day, the bird sat at the window and looked at the sky. \"It wants to fly,\" said {e}. {h} felt a sting in {h.his} heart. \"But it is my friend,\" {h.he} said.",
      "Then {f} said, \"Its wing is well again. It is time.\" \"[But then I will be alone|I do not want it to go],\" said {h}. \"A friend is not less of a friend when it is far away,\" said {f}."],
     ["{h} thought about it all night. In the morning {h.he} carried the bird {p.to} and opened {h.his} hands. The {b} looked at {h.him} once. Then it flew up, [higher and higher|into the blue sky].",
      "So {h} opened the window. The {b} [hopped onto the sill|turned its head], sang one short song, and flew away."],
     ["[Next spring|In the spring], there was a song outside the window. It was the {b}, and beside it sat [three young ones|a second one]. {h} was {happy}.",
      "{h} cried a little. But every morning after that, a {b} sang in the tree by the house, and {h} knew who it was."],
     cast="hfe", p="place", b=BIRDS)

plot("the first snow", "memories",
     ["When {h} woke up, everything was white. \"It is snowing!\" {h.he} shouted, and {h.he} ran to wake {f}.",
      "It had snowed all night. The roofs were white, the trees were white, and even {p} [was white|looked new]. {h} put on {h.his} boots and ran outside."],
     ["{h} and {f} rolled one big ball, then a [smaller|second] one, and then a little one for the head. They gave the snowman [two stones|two buttons] for eyes and a carrot for a nose.",
      "Together with {f}, {h} built a snowman as tall as the door. He had [eyes of coal|eyes made of nuts] and arms made of sticks."],
     ["\"He looks cold,\" said {f}. So {h} took off {h.his} {o} and gave it to the snowman. \"[Now you are warm|There you are],\" {h.he} said.",
      "Something was missing. {h} ran home and came back with {o.a}. Now the snowman looked [very fine|like a king]."],
     ["Every day they visited the snowman and told him [their secrets|what they had done]. He was a very good listener.",
      "All winter long the snowman stood there and [smiled|watched over the house]. {h} waved to him each night."],
     ["But then the sun grew warm. The snowman became thinner and smaller. One morning there was nothing left but {o.the} in a puddle. {h} was {sad}.",
      "Then spring came. \"He is melting!\" cried {h}. {h.He} wanted to put him in the shade, but the sun was stronger."],
     ["\"Where did he go?\" asked {h}. \"Into the stream, and into the flowers,\" said {e}. \"And next winter he will fall from the sky again.\" {h} liked that.",
      "{f} pointed to the ground. Where the snowman had been, [a small white flower was growing|there were snowdrops]. \"He left us a present,\" said {f}. {h} hung up {o.the} and waited for winter."],
     cast="hfe", p="place", o=thing_of([w for w in WEAR if w in ("scarf", "hat", "cap")]))

plot("{h.a} who wanted to touch the moon", "wonder",
     ["Every night, {h} looked at the moon. It was [round|bright] and [yellow|silver], and it looked so near. \"I want to touch it,\" {h.he} said.",
      "{h} loved the moon. \"What does it feel like?\" {h.he} asked {e}. \"Is it [soft|cold] like [a pillow|snow]?\" \"Nobody here has touched it,\" said {e}."],
     ["So {h} climbed on [a chair|a box]. That was too low. {h.He} climbed on [the roof|the wall]. That was too low as well.",
      "{h} made a ladder [of chairs|out of boxes] and climbed to the top. {h.He} stretched out {h.his} hand, but the moon was still too high."],
     ["\"Maybe from the hill,\" said {f}. They walked all the way up in the dark. But the moon had moved [behind the trees|a little farther].",
      "{h} asked {f} for help. {f} threw a rope at the moon. The rope [fell down|came back] and landed on {f.his} head, and they both laughed."],
     ["Tired, they sat down by the [pond|lake|river]. And there, in the water, was the moon! It lay right at their feet.",
      "On the way home they came to [a pond|a still lake]. {h} stopped. \"Look,\" {h.he} whispered. \"The moon came down to us.\""],
     ["Very gently, {h} put one finger in the water. The moon [trembled|broke into a hundred pieces of light] and then became round again. \"I touched it,\" said {h}.",
      "{h} bent down and touched it with {h.his} hand. It was cool, and it [shivered|danced]. \"Now I know,\" {h.he} said. \"It feels like water and light.\""],
     ["{h} went home and slept well. And the moon looked in at the window, as if it knew {h.him}.",
      "\"What did you do last night?\" asked {e} in the morning. \"I touched the moon,\" said {h}, and {h.he} was {happy}."],
     cast="hfe", moral_chance=0.3)
